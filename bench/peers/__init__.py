"""What teams use elsewhere for the same work: installed on demand, never a part of Postroom."""
