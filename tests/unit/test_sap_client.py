"""The SAP client and its pages over canned answers: what no well-behaved server shows."""

from collections.abc import Sequence
from typing import Any, Final, cast

import orjson
import pytest
from pydantic import SecretStr

from connectors.base import Change, Page, Window, Wire
from connectors.egress import Egress, Request, Response
from connectors.errors import BadResponse, ConfigError, SourceFault, SourceUnavailable, WriteRejected
from connectors.kit.auth import Basic
from connectors.sap_s4hana import read
from connectors.sap_s4hana.client import SapClient
from connectors.sap_s4hana.services import RESOURCES
from connectors.sap_s4hana.write import work
from connectors.sap_s4hana.write.steps import Steps
from db.types import Entity, Operation

PO: Final = "API_PURCHASEORDER_PROCESS_SRV"
JSON = {"content-type": "application/json"}


class Canned:
    """Gives prepared answers in turn and keeps the requests."""

    def __init__(self, answers: Sequence[Response]) -> None:
        self.answers = list(answers)
        self.requests: list[Request] = []

    async def send(self, request: Request, *, auth: object = None) -> Response:
        assert auth is not None
        self.requests.append(request)
        return self.answers.pop(0)


def _client(*answers: Response) -> tuple[SapClient, Canned]:
    canned = Canned(answers)
    auth = Basic("U", SecretStr("p"))
    return SapClient(cast("Egress", canned), auth, root="https://s4.example", client="100"), canned


def _listed(*keys: str, link: str | None = None, count: int | None = None) -> Response:
    data: dict[str, Any] = {"results": [{"PurchaseOrder": key} for key in keys]}
    told = {**data, **({"__next": link} if link else {}), **({"__count": str(count)} if count is not None else {})}
    return Response(200, JSON, orjson.dumps({"d": told}))


async def _pages(client: SapClient) -> list[Page]:
    return [page async for page in read.pages(client, RESOURCES[Entity.PURCHASE_ORDER], Window(), None)]


def _ids(pages: list[Page]) -> list[list[str]]:
    return [[item.source_id for item in page.items] for page in pages]


async def test_the_client_goes_along_as_parameter_and_header() -> None:
    client, canned = _client(_listed("1"))

    await client.list("API_MAINTENANCEORDER", "MaintenanceOrder", {"$top": "1"}, at_most=1)

    [request] = canned.requests
    assert request.url == (
        "https://s4.example/sap/opu/odata/sap/API_MAINTENANCEORDER;v=0002/MaintenanceOrder?$top=1&sap-client=100"
    )
    assert (request.headers["sap-client"], request.headers["Accept"]) == ("100", "application/json")


async def test_a_server_that_cuts_pages_without_a_link_loses_nothing() -> None:
    client, canned = _client(_listed("1", "2", count=5), _listed("3", "4"), _listed("5"))

    pages = await _pages(client)

    assert _ids(pages) == [["1", "2"], ["3", "4"], ["5"]]
    assert [page.position for page in pages] == [
        {"after": "2", "seen": 2, "total": 5},
        {"after": "4", "seen": 4, "total": 5},
        None,
    ]
    assert "PurchaseOrder%20gt%20%274%27" in canned.requests[-1].url


async def test_rows_that_vanish_during_a_pass_do_not_keep_it_going() -> None:
    client, _ = _client(_listed("1", "2", count=5), _listed())

    assert _ids(await _pages(client)) == [["1", "2"], []]


async def test_a_page_that_comes_again_is_an_error() -> None:
    client, _ = _client(_listed("1", "2", count=5), _listed("1", "2"))

    with pytest.raises(BadResponse, match="again after 2"):
        await _pages(client)


async def test_a_link_to_the_same_page_is_an_error() -> None:
    client, canned = _client(_listed("1", link="A_PurchaseOrder?$skiptoken=1"), _listed("2", link="?$skiptoken=1"))

    with pytest.raises(BadResponse, match="same page"):
        await _pages(client)
    assert len(canned.requests) == 2


async def test_a_web_page_is_a_wrong_address() -> None:
    client, _ = _client(
        Response(200, {"content-type": "text/html;charset=utf-8"}, b"<html><title>Logon</title></html>")
    )

    with pytest.raises(ConfigError, match="web page") as caught:
        await _pages(client)
    assert caught.value.source_message == "Logon"


async def test_an_answer_cut_on_its_way_is_worth_another_try() -> None:
    client, _ = _client(Response(200, JSON, b'{"d":{"results":[{"Purch'))

    with pytest.raises(SourceUnavailable) as caught:
        await _pages(client)
    assert caught.value.transient


async def test_a_service_without_tokens_is_written_to_without_one() -> None:
    client, canned = _client(Response(200, JSON, b"{}"), Response(204, {}, b""))

    request = client.changing("PATCH", PO, "A_PurchaseOrder('1')", body={"A": "1"}, etag='W/"1"')
    assert await client.carry(PO, request) == {}

    patch = canned.requests[1]
    assert "x-csrf-token" not in patch.headers
    assert (patch.headers["If-Match"], patch.body, patch.safe) == ('W/"1"', b'{"A":"1"}', False)


async def test_two_refused_tokens_are_the_sources_fault() -> None:
    token = Response(200, {"x-csrf-token": "t"}, b"{}")
    refused = Response(403, {"x-csrf-token": "Required"}, b"CSRF token validation failed")
    client, canned = _client(token, refused, token, refused)

    with pytest.raises(SourceFault, match="two fresh CSRF tokens"):
        await client.carry(PO, client.changing("POST", PO, "A_PurchaseOrder", body={}))
    assert [request.method for request in canned.requests] == ["GET", "POST", "GET", "POST"]


async def test_a_strange_answer_to_a_change_leaves_its_outcome_open() -> None:
    client, _ = _client(Response(200, {"x-csrf-token": "t"}, b"{}"), Response(201, JSON, b'{"d":'))

    with pytest.raises(SourceUnavailable) as caught:
        await client.carry(PO, client.changing("POST", PO, "A_PurchaseOrder", body={}))
    assert caught.value.sent


async def test_navigation_that_a_release_does_not_know_is_left_out_from_then_on() -> None:
    unknown = Response(400, JSON, b'{"error":{"code":"/IWBEP/CM","message":{"value":"Invalid expand"}}}')
    rows = Response(200, JSON, b'{"d":{"results":[{"Product":"A"}]}}')
    client, canned = _client(unknown, rows, rows)
    resource = RESOURCES[Entity.ITEM]

    found = [await read.fetch(client, resource, ["A"]) for _ in range(2)]

    assert [[item.source_id for item in items] for items in found] == [["A"], ["A"]]
    assert ["to_Valuation" in request.url for request in canned.requests] == [True, False, False]


async def test_another_mistake_of_a_read_is_told() -> None:
    unknown = Response(400, JSON, b'{"error":{"code":"/IWBEP/CM","message":{"value":"Invalid filter"}}}')
    client, _ = _client(unknown, unknown)

    with pytest.raises(BadResponse) as caught:
        await read.fetch(client, RESOURCES[Entity.ITEM], ["A"])
    assert caught.value.source_message == "Invalid filter"


async def test_a_transition_without_effect_is_told() -> None:
    state = Response(200, JSON, b'{"d":{"MaintenanceOrder":"4000001","SystemStatusText":"CRTD"}}')
    token, taken = Response(200, {"x-csrf-token": "t"}, b"{}"), Response(200, JSON, b'{"d":{"IsInvalid":false}}')
    client, canned = _client(state, token, taken, state)
    change = Change(Entity.WORK_ORDER, Operation.UPDATE, "CHD000000001", source_id="4000001")

    with pytest.raises(WriteRejected, match=r"RELEASE .* without effect") as caught:
        await work.update(client, Steps(client, Wire()), change, transition="RELEASE")

    assert caught.value.source_message == "CRTD"
    assert "ReleaseMaintenanceOrder?MaintenanceOrder=%274000001%27" in canned.requests[2].url
