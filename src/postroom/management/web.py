"""What each worker of the web role loads: its application, and what it does beside answering."""

import threading

from postroom.feedback import housekeeping
from postroom.urls import application

__all__ = ["application"]

threading.Thread(
    target=housekeeping.serve, args=(threading.Event(),), name="housekeeping", daemon=True
).start()
