"""The page as a reader meets it: elements with their texts, and which figure and table stand under which heading."""

import base64
from html.parser import HTMLParser

VOID = {"meta", "img", "br", "link", "hr", "input"}


class Element:
    """A tag with its attributes, and in order what stands in it: elements and texts."""

    def __init__(self, tag, attributes):
        self.tag, self.attributes, self.inside = tag, attributes, []

    def walk(self):
        """This element and all below it, in order."""
        yield self
        for child in self.inside:
            if isinstance(child, Element):
                yield from child.walk()

    def all(self, tag, **attributes):
        wanted = {key.rstrip("_"): value for key, value in attributes.items()}
        return [e for e in self.walk() if e.tag == tag and wanted.items() <= e.attributes.items()]

    @property
    def text(self):
        """What a reader sees of it, spaces as one."""
        parts = [e.text if isinstance(e, Element) else e for e in self.inside if getattr(e, "tag", "") != "style"]
        return " ".join("".join(parts).split())


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open = [Element("page", {})]

    def handle_starttag(self, tag, attrs):
        element = Element(tag, dict(attrs))
        self.open[-1].inside.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        closed = self.open.pop()
        assert closed.tag == tag, f"<{closed.tag}> is closed by </{tag}>"

    def handle_data(self, data):
        self.open[-1].inside.append(data)


def parse(text):
    """The page as one element."""
    reader = _Reader()
    reader.feed(text)
    assert len(reader.open) == 1, f"<{reader.open[-1].tag}> stays open"
    return reader.open[0]


def sections(page):
    """{id of the h2: its elements}; what stands before the first is under ""."""
    found, name = {"": []}, ""
    for element in page.walk():
        name = element.attributes["id"] if element.tag == "h2" else name
        found.setdefault(name, []).append(element)
    return found


def table(page, caption):
    """(header, rows) of the table whose caption begins so, as texts."""
    (found,) = [t for t in page.all("table") if t.all("caption")[0].text.startswith(caption)]
    lines = [[cell.text for cell in line.walk() if cell.tag in ("th", "td")] for line in found.all("tr")]
    return (lines[0], lines[1:]) if found.all("thead") else (None, lines)


def png(image):
    """The bytes inside an <img>: a PNG, or a JPEG where it shows photos."""
    head, data = image.attributes["src"].split(",", 1)
    assert head in ("data:image/png;base64", "data:image/jpeg;base64")
    return base64.b64decode(data)
