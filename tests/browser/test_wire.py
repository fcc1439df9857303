"""What a first view costs: the bytes over the wire until nothing more is loaded."""

from collections.abc import Callable
from typing import Any

import pytest
from built import chapters

MOST_BYTES = 250_000


@pytest.mark.parametrize("address", chapters())
def test_first_view_is_light(address: str, visitor: Callable[..., Any]) -> None:
    visits = visitor(width=390)
    loaded: dict[str, int] = {}

    def count(request: Any) -> None:
        sizes = request.sizes()
        loaded[request.url] = sizes["responseBodySize"] + sizes["responseHeadersSize"]

    visits.context.on("requestfinished", count)
    visits.open(address)
    assert sum(loaded.values()) < MOST_BYTES, sorted(loaded.items(), key=lambda item: -item[1])
    # The rest comes when the reader scrolls there.
    assert sum(url.endswith(".svg") for url in loaded) <= 4
