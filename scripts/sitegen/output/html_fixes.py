"""Small mendings of what the theme and the Markdown write, where it falls short of WCAG or HTML.

Each is a pattern and what should stand there. A browser test fails when a mended form is on no page
any more, so that a mending that has lost its pattern is noticed.
"""

import re

MENDINGS = [
    # A dialog needs a name.
    (r'data-md-component="search" role="dialog"', r'\g<0> aria-label="Search"'),
    # What a control is called must be what is written on it.
    (r'aria-label="(Previous|Next): ', r'aria-label="\1 '),
    # The two lines of such a link stand without a space between them.
    (r'(<span class="md-footer__direction">\s*\w+\s*</span>)', r"\1 "),
    # The switch of the menu, which the stylesheet shows to the keyboard, needs a name.
    (r'data-md-toggle="drawer"', r'\g<0> aria-label="Menu"'),
    # Tags without links are no navigation.
    (r'<nav class="md-tags"\s*>(.*?)</nav>', r'<div class="md-tags">\1</div>'),
    # A wide table scrolls in its own box, which the keyboard must reach. The theme's script would
    # make the two boxes around it, and each time lay out the whole page again: it leaves tables
    # with a class alone.
    (
        r"<table>(.*?)</table>",
        '<div class="md-typeset__scrollwrap"><div class="md-typeset__table">'
        r'<table class="book-table" tabindex="0">\1</table></div></div>',
    ),
    # The link that skips the menu leads here: a heading that can hold the focus takes it along.
    (r'<h1 id="', r'<h1 tabindex="-1" id="'),
    # A corner is no heading.
    (r"<th([^>]*)></th>", r"<td\1></td>"),
]


FOLDED = re.compile(r'<details class="?code\b')
DOWNLOADS = re.compile(r'<p class="book-downloads".*?(?=</p>)', re.DOTALL)
SHOW_ALL = '<button class="book-fold" type="button">Show all code</button>'


def with_button(page: str) -> str:
    """Put the button for all folded code there, so that no script moves the page to make room."""
    if len(FOLDED.findall(page)) < 2:
        return page
    return DOWNLOADS.sub(lambda line: f"{line[0]} {SHOW_ALL}", page, count=1)


def mend(page: str) -> str:
    """Return a page with what is around and in it mended."""
    for pattern, better in MENDINGS:
        page = re.sub(pattern, better, page, flags=re.DOTALL)
    return page


def lean(content: str) -> str:
    """Keep the tokens of highlighted code that have a colour, in short elements: half its size."""
    content = re.sub(r"\n*(<!--(?:c\d+|/)-->)\n*(?=<|$)", r"\1", content)
    content = re.sub(r'<span class="(?:n|p|w|o)">([^<]*)</span>', r"\1", content)
    content = re.sub(
        r'<span class="([a-z][a-z0-9]?)">([^<]*)</span>', r"<i class=\1>\2</i>", content
    )
    return re.sub(r'<a class="term" href="([^"]*)">', r"<a class=term href=\1>", content)


def tight(frame: str) -> str:
    """Take away the blanks between the tags of the theme's frame, and around a text in a tag.

    Also what a drawing needs in a file of its own alone.
    """
    frame = frame.replace(' xmlns="http://www.w3.org/2000/svg"', "")
    frame = re.sub(r"\s*\n\s*", "\n", frame)
    return re.sub(r">\n([^<\n]+)\n<", r">\1<", re.sub(r">\n+<", "><", frame))


def unquoted(page: str) -> str:
    """Leave out what HTML can do without: a fiftieth of a page.

    The quotation marks around a class that is one word, and the ends of a table's cells and rows.
    """
    page = re.sub(r"\s*\n\s*(?=</?(?:t[dhr]|tbody|thead)\b)", "", page)
    page = re.sub(r"</t[dh]>(?=<t[dh]\b|</tr>)|</tr>(?=<tr\b|</tbody>|</thead>)", "", page)
    return re.sub(r'(<[a-z][\w-]*(?: [^<>]*?)? class=)"([\w-]+)"(?=[ >])', r"\1\2", page)
