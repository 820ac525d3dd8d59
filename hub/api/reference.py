"""The lists that complaints refer to: categories and regions."""

from __future__ import annotations

from aiohttp import web

from hub.api.answers import answer
from hub.api.context import Call
from hub.api.paging import cut
from hub.api.queries import Query


async def categories(call: Call) -> web.Response:
    """Today's topics, in the order in which people are shown them."""
    query = Query(call.request, ("limit", "cursor"))
    limit, cursor = query.limit(), query.text("cursor", 1, 2000)
    query.done()
    known = call.context.categories.items()
    # Their order is their own, so the cursor holds the place and not the code.
    places, following = cut(call, "categories", [f"{i:06d}" for i in range(len(known))], limit, cursor)
    shown = [known[int(place)] for place in places]
    items = [{"code": c.code, "name": c.name, "name_en": c.name_en} for c in shown]
    return answer({"items": items, "next": following})


async def regions(call: Call) -> web.Response:
    """Today's provinces, or with `parent` the regencies and cities of one."""
    query = Query(call.request, ("parent", "limit", "cursor"))
    known = call.context.regions
    parent = query.checked("parent", known.get, "A region code such as 62 is needed.")
    limit, cursor = query.limit(), query.text("cursor", 1, 2000)
    query.done()
    found = {region.code: region for region in known.children(parent)}
    codes, following = cut(call, f"regions\n{parent}", sorted(found), limit, cursor)
    items = [{"code": code, "name": found[code].name, "kind": found[code].kind} for code in codes]
    return answer({"items": items, "next": following})
