"""Wordings in other languages than English, as mail systems and mailbox operators write them.

The same rules hold as for the English ones: what leads to `address_unknown` is a sentence about the
mailbox and nothing else. Accents are often lost on the way, so both ways of writing stand here.
"""

from postroom.domain.reason_rule import TextRule, rules

GERMAN = "replies of GMX, web.de, 1&1, Freenet and German mail systems"
FRENCH = "replies of Orange, La Poste, Free, SFR and French mail systems"
SPANISH = "replies of Spanish and Latin American mail systems"
PORTUGUESE = "replies of UOL, Terra, Locaweb and Portuguese mail systems"
ITALIAN = "replies of Libero, Aruba, Tiscali and Italian mail systems"
DUTCH = "replies of KPN, Ziggo and Dutch mail systems"
POLISH = "replies of Onet, WP, Interia and Polish mail systems"
RUSSIAN = "replies of Mail.ru, Yandex, Rambler and Russian mail systems"
CZECH = "replies of Seznam and Czech mail systems"
JAPANESE = "replies of Japanese mobile carriers and mail systems"
CHINESE = "replies of QQ, NetEase, Sina and Chinese mail systems"

LANGUAGE_RULES: tuple[TextRule, ...] = (
    *rules(
        "mailbox_full",
        GERMAN,
        """
        speichervolumen | postfach voll | postfach ist voll | postfach des empfängers ist voll |
        zuviele mails auf dem server | speicherplatz & überschritten |
        speicherplatz & ueberschritten
        """,
    ),
    *rules(
        "address_unknown",
        GERMAN,
        """
        benutzer nicht bekannt | benutzer unbekannt | unbekannter benutzer |
        benutzer existiert nicht | empfänger unbekannt | empfaenger unbekannt |
        unbekannter empfänger | unbekannter empfaenger | postfach existiert nicht |
        empfänger existiert nicht | empfaenger existiert nicht | adresse existiert nicht
        """,
    ),
    *rules("mailbox_full", FRENCH, "boite & pleine | boîte & pleine | quota dépassé"),
    *rules(
        "address_unknown",
        FRENCH,
        """
        utilisateur inconnu | destinataire inconnu | destinataire invalide | adresse inconnue |
        utilisateur inexistant | boite aux lettres inexistante | boîte aux lettres inexistante |
        adresse d au moins un destinataire invalide
        """,
    ),
    *rules(
        "mailbox_full",
        SPANISH,
        "buzón lleno | buzon lleno | buzón está lleno | cuota excedida | excedido su cuota",
    ),
    *rules(
        "address_unknown",
        SPANISH,
        """
        usuario no existe | usuario desconocido | destinatario desconocido | buzón no existe |
        cuenta no existe | dirección no existe | destinatario no existe
        """,
    ),
    *rules(
        "mailbox_full",
        PORTUGUESE,
        "caixa postal cheia | caixa de correio cheia | caixa postal & está cheia | quota excedida",
    ),
    *rules(
        "address_unknown",
        PORTUGUESE,
        """
        usuário desconhecido | usuario desconhecido | usuário não existe | usuario nao existe |
        usuário inexistente | usuario inexistente | caixa postal inexistente |
        destinatário desconhecido
        """,
    ),
    *rules("mailbox_full", ITALIAN, "casella & piena | casella postale piena | quota superata"),
    *rules(
        "address_unknown",
        ITALIAN,
        """
        utente sconosciuto | utente inesistente | casella inesistente |
        casella postale inesistente | destinatario sconosciuto | destinatario inesistente |
        indirizzo inesistente
        """,
    ),
    *rules("mailbox_full", DUTCH, "mailbox is vol | postvak is vol | postbus is vol"),
    *rules(
        "address_unknown", DUTCH, "gebruiker onbekend | onbekende gebruiker | adres bestaat niet"
    ),
    *rules(
        "mailbox_full",
        POLISH,
        "skrzynka & pełna | skrzynka & pelna | skrzynka jest pełna | skrzynka jest przepełniona",
    ),
    *rules(
        "address_unknown",
        POLISH,
        """
        adres nie istnieje | konto nie istnieje | użytkownik nie istnieje |
        uzytkownik nie istnieje | nieznany użytkownik | nieznany uzytkownik
        """,
    ),
    *rules("mailbox_full", RUSSIAN, "ящик переполнен | почтовый ящик & переполнен"),
    *rules(
        "address_unknown",
        RUSSIAN,
        """
        пользователь не найден | пользователь не существует | ящик не существует |
        ящика не существует | адрес не существует | нет такого пользователя |
        неизвестный пользователь
        """,
    ),
    *rules("mailbox_full", CZECH, "schránka je plná | schranka je plna"),
    *rules("address_unknown", CZECH, "schránka neexistuje | schranka neexistuje"),
    *rules(
        "mailbox_full",
        JAPANESE,
        "メールボックスがいっぱい | 受信ボックスがいっぱい | メールボックスの容量",
    ),
    *rules(
        "address_unknown",
        JAPANESE,
        "ユーザーが存在しません | メールアドレスが存在しません | 宛先が見つかりません",
    ),
    *rules("mailbox_full", CHINESE, "邮箱已满 | 邮箱空间已满 | 郵箱已滿 | 信箱已滿"),
    *rules(
        "address_unknown",
        CHINESE,
        "用户不存在 | 收件人不存在 | 邮箱不存在 | 用戶不存在 | 信箱不存在 | 收件人帐号不存在",
    ),
)
"""First match speaks; after the English wordings."""
