"""Walks the built pages: python docs/check_html.py [docs/_build].

- Every public class and function has an entry, and so has every public method. What is
  private has none.
- Every example has a picture.
- No page needs a network: scripts, stylesheets and pictures are local, formulas MathML.
- Every link within the pages leads to a place that exists.
- The search knows the parameters of the estimators.
- On screens of 1280 and 400 pixels nothing is cut, unless it can be scrolled. This
  needs chromium, its driver and selenium; where they lack, the last line says so.

Prints what is missing, and ends with 1 if anything is.
"""

import inspect
import json
import re
import shutil
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sphinx.search.en import SearchEnglish

import skgoodmin
import skgoodmin.dask
import skgoodmin.datasets
import skgoodmin.onnx

MODULES = skgoodmin, skgoodmin.dask, skgoodmin.datasets, skgoodmin.onnx
LOADED = {"script": "src", "link": "href", "img": "src", "iframe": "src"}
WIDTHS = 1280, 400
# Words of the first element in the article that reaches beyond the screen, or beyond a
# parent that hides what is too wide.
CUT = """
const scrolls = e => e && e.tagName !== "ARTICLE" && (
    /auto|scroll/.test(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
const article = document.querySelector("article");
if (document.documentElement.scrollWidth > innerWidth) return "the page";
if (!article) return "";
const edge = article.getBoundingClientRect().right + 1;
for (const e of article.querySelectorAll("*")) {
    const box = e.getBoundingClientRect();
    if (box.width > 1 && box.right > edge && !scrolls(e))
        return e.tagName + " " + (e.textContent || e.src || "").trim().slice(0, 60);
}
return "";
"""


class Page(HTMLParser):
    """Ids, links and loaded files of a page."""

    def __init__(self, path):
        super().__init__()
        self.path, self.ids, self.links, self.loaded = path, set(), [], []
        self.has_formula_source = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        """Note what a tag names, leads to or loads."""
        given = dict(attributes)
        self.ids.update(given[key] for key in ("id", "name") if given.get(key))
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        relation = given.get("rel", "")
        if tag == "link" and not re.search("stylesheet|icon|preload", relation):
            return
        if given.get(LOADED.get(tag, "")):
            self.loaded.append(given[LOADED[tag]])

    def handle_data(self, data):
        """A formula that a script would have to draw."""
        self.has_formula_source |= "\\(" in data and "\\)" in data


def public(module):
    """The public names of a module that are classes or functions."""
    listed = getattr(module, "__all__", ())
    for name, member in vars(module).items():
        own = getattr(member, "__module__", "") == module.__name__
        if callable(member) and (name in listed or own and not name.startswith("_")):
            yield f"{module.__name__}.{name}", member


def methods(cls):
    """Names of the public methods and properties of a class."""
    of_tuple = set(dir(tuple))
    for name in dir(cls):
        member = inspect.getattr_static(cls, name)
        if name.startswith("_") or name in of_tuple:
            continue
        if isinstance(member, property) or callable(getattr(cls, name)):
            yield name


def missing_entries(pages):
    """Public names without an entry."""
    ids = set().union(*(page.ids for page in pages.values()))
    for name, member in dict(entry for m in MODULES for entry in public(m)).items():
        wanted = [name]
        if inspect.isclass(member):
            wanted += [f"{name}.{method}" for method in methods(member)]
        yield from (f"{entry} has no entry" for entry in wanted if entry not in ids)


def private_entries(root):
    """Members in the tables of classes whose name begins with an underscore."""
    for path in (root / "reference" / "generated").glob("*.html"):
        text = path.read_text(encoding="utf-8")
        for name in re.findall(r">([\w.]+\._\w+)<", text):
            yield f"{path.relative_to(root)} lists {name}"


def missing_pictures(pages, root):
    """Examples without a picture of their own."""
    for path, page in pages.items():
        if path.name.startswith("plot_"):
            picture = f"sphx_glr_{path.stem}_"
            if not any(picture in name for name in page.loaded):
                yield f"{path.relative_to(root)} has no picture"


def from_elsewhere(pages, root):
    """What a page loads from the network, or cannot find."""
    for path, page in pages.items():
        if page.has_formula_source:
            yield f"{path.relative_to(root)} has a formula that needs a script"
        for target in page.loaded:
            if urlsplit(target).scheme == "data":
                continue
            if urlsplit(target).netloc:
                yield f"{path.relative_to(root)} loads {target}"
            elif not (path.parent / unquote(urlsplit(target).path)).exists():
                yield f"{path.relative_to(root)} lacks {target}"
    for style in root.glob("_static/**/*.css"):
        for target in re.findall(r"url\(['\"]?(\w+:)?//", style.read_text()):
            yield f"{style.relative_to(root)} loads from {target}"


def broken_links(pages, root):
    """Links within the pages to what does not exist."""
    for path, page in pages.items():
        for link in page.links:
            url = urlsplit(link)
            if url.scheme or url.netloc:
                continue
            target = (path.parent / unquote(url.path)).resolve() if url.path else path
            if not target.exists():
                yield f"{path.relative_to(root)} links to {link}"
            elif url.fragment and target in pages:
                if unquote(url.fragment) not in pages[target].ids:
                    yield f"{path.relative_to(root)} links to {link}, no such place"


def unsearchable(root):
    """Parameters that the search does not find."""
    index = (root / "searchindex.js").read_text(encoding="utf-8")
    terms = json.loads(index[index.index("{") : index.rindex("}") + 1])["terms"]
    stem = SearchEnglish({}).stem
    for name in inspect.signature(skgoodmin.GoodMinimaClassifier).parameters:
        if stem(name) not in terms:
            yield f"the search does not find {name}"


def too_wide(pages, root):
    """Where a page is wider than the screen, in a browser."""
    from selenium import webdriver

    driver = webdriver.ChromeService(shutil.which("chromedriver"))
    options = webdriver.ChromeOptions()
    for option in ("headless=new", "no-sandbox", "disable-gpu", "hide-scrollbars"):
        options.add_argument(f"--{option}")
    with webdriver.Chrome(options, driver) as browser:
        for width in WIDTHS:
            screen = {"width": width, "height": 900, "deviceScaleFactor": 1}
            screen["mobile"] = False
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
            for path in pages:
                browser.get(path.as_uri())
                cut = browser.execute_script(CUT)
                if cut:
                    where = path.relative_to(root)
                    yield f"{where} is cut on a screen of {width} pixels: {cut!r}"


def main(root):
    """Check all of it; the number of faults."""
    paths = [p for p in sorted(root.rglob("*.html")) if "_static" not in p.parts]
    pages = {path: Page(path) for path in paths}
    faults = [
        *missing_entries(pages),
        *private_entries(root),
        *missing_pictures(pages, root),
        *from_elsewhere(pages, root),
        *broken_links(pages, root),
        *unsearchable(root),
    ]
    looked = "no browser, widths were not looked at"
    if shutil.which("chromedriver"):
        try:
            faults += too_wide(pages, root)
            looked = f"looked at in a browser at {WIDTHS} pixels"
        except ImportError:
            pass
    print(*faults, sep="\n", end="\n" if faults else "")
    print(f"{len(pages)} pages, {looked}: {len(faults)} faults")
    return len(faults)


if __name__ == "__main__":
    where = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "_build")
    sys.exit(bool(main(where.resolve())))
