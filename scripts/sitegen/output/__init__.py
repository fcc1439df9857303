"""From rendered pages to what is handed out: stylesheet, security policy, cards, zip, PDF."""
