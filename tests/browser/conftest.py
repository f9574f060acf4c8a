"""A browser, a website whose pages send events, and services that take them."""

import json
import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from tests.browser.arrivals import Arrivals
from tests.browser.chromium import Chromium, NoChromiumError, find_chromium
from tests.browser.page import Page
from tests.browser.website import Website, website
from tests.support import Served, served

HERE = Path(__file__).parent
NO_CHROMIUM = "NO CHROMIUM"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Report tests without a browser from one place, so that the summary has one line for all."""
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple):
        _, _, reason = report.longrepr
        if NO_CHROMIUM in reason:
            report.longrepr = (str(HERE), 0, reason)
    return report


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    try:
        with Chromium(find_chromium(os.environ), tmp_path_factory.mktemp("chromium")) as chromium:
            yield chromium
            return
    except NoChromiumError as error:
        why = (
            f"{NO_CHROMIUM}, the tests of JavaScript clients did not run: {error}. Install one"
            " (apt-get install chromium), or set CHROMIUM to the path of a Chromium or Chrome."
        )
    if os.environ.get("SLUICEWAY_REQUIRE_BROWSER") == "1":
        pytest.fail(why, pytrace=False)
    pytest.skip(why)


@pytest.fixture(scope="session")
def site() -> Iterator[Website]:
    with website() as site:
        yield site


@pytest.fixture(scope="session")
def service(
    chromium: Chromium, site: Website, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A service that lets the site's pages read its answers, not those of its other origin."""
    folder = tmp_path_factory.mktemp("listed")
    with served(folder, SLUICEWAY_HTTP__CORS_ORIGINS=json.dumps([site.origin])) as service:
        yield service


@pytest.fixture
def open_page(chromium: Chromium, site: Website) -> Iterator[Callable[..., Page]]:
    """Open pages of the site that are thrown away after the test."""
    opened = []

    def open_page(origin: str = site.origin, *, before: str = "") -> Page:
        page = chromium.open(f"{origin}/page.html", before=before)
        opened.append(page)
        return page

    yield open_page
    for page in opened:
        page.discard()


@pytest.fixture
def arrived(service: Served) -> Arrivals:
    """Return what the service has stored since the test began, once it is so many events."""
    return Arrivals(service)
