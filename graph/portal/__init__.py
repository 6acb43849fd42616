"""The connect page: where a customer chooses a system and enters credentials, without any token of the API.

A plain page of HTML, CSS and JavaScript that asks nothing but this host, and the three calls behind it: open, check,
complete. May import what graph may.

    /connect/ses_…#secret → page.py: may it be framed, and by whom → page.js
     → POST open (the secret, once) → POST check (live) → POST complete → code: by redirect, or posted to one origin
"""
