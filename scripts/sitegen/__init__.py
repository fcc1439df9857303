"""The site's generator: it runs the pages, renders them, and writes the site, zip and PDF."""
