"""From rendered pages to what is handed out: stylesheet, policy, cards, the zip and the PDF."""
