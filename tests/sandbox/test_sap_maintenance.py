"""Maintenance orders of the simulated S/4HANA."""

from typing import Any

import pytest

from sandbox.sap_s4hana.edm import load_services
from sandbox.sap_s4hana.rules.maintenance import TRANSITIONS
from tests.fixtures.sap_caller import MAINTENANCE, SapCaller

pytest_plugins = ["tests.fixtures.sap_s4hana"]
ORDER = f"{MAINTENANCE};v=0002/MaintenanceOrder"
BODY: dict[str, Any] = {
    "MaintenanceOrderType": "YA01",
    "MaintenanceOrderDesc": "Pumpe prüfen",
    "MaintenancePlanningPlant": "1010",
    "MaintPriority": "2",
    "Equipment": "10000003",
    "MaintOrdBasicStartDateTime": "/Date(1795500000000+0000)/",
    "MaintOrdBasicEndDateTime": "/Date(1795590000000+0000)/",
}


async def call(sap: SapCaller, name: str, number: str = "4000013", more: str = "") -> Any:
    return await sap.write("POST", f"{MAINTENANCE}/{name}?MaintenanceOrder='{number}'{more}")


async def test_an_order_is_created_with_an_operation(sap: SapCaller) -> None:
    answer = await sap.write("POST", ORDER, BODY)

    row = (await sap.get(f"{ORDER}('000004000013')?$expand=to_MaintenanceOrderOperation")).data
    operation = row["to_MaintenanceOrderOperation"]["results"][0]
    assert (answer.status, row["MaintenanceOrder"]) == (201, "4000013")
    assert row["SystemStatusText"] == "CRTD MANC NMAT PRC"
    assert (row["MaintOrdProcessPhaseCode"], row["LastChangeDateTime"]) == ("02", "/Date(1795170615000+0000)/")
    assert (row["MaintOrdBasicStartDate"], row["MaintOrdBasicStartTime"]) == ("/Date(1795478400000)/", "PT06H00M00S")
    assert (operation["MaintenanceOrderOperation"], operation["OperationDescription"]) == ("0010", "Pumpe prüfen")


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"MaintenanceOrderType": ""}, ["ME/083"]),
        ({"MaintenanceOrderType": "XXXX"}, ["CO/118"]),
        ({"MaintenanceOrderDesc": ""}, ["ME/083"]),
        ({"MaintenancePlanningPlant": ""}, ["ME/083"]),
        ({"MaintenancePlanningPlant": "9999"}, ["IW/029"]),
        ({"MaintPriority": "9"}, ["IW/052"]),
        ({"MaintOrdBasicEndDateTime": "/Date(1795400000000+0000)/"}, ["CO/163"]),
    ],
)
async def test_a_faulty_order_is_refused(sap: SapCaller, changes: dict[str, Any], codes: list[str]) -> None:
    answer = await sap.write("POST", ORDER, {**BODY, **changes})

    assert (answer.status, answer.codes) == (400, codes)
    assert (await sap.get(f"{ORDER}/$count")).text == "12"


async def test_an_order_walks_from_creation_to_closing(sap: SapCaller) -> None:
    await sap.write("POST", ORDER, BODY)
    names = (
        "SubmitMaintOrderForApproval",
        "ApproveMaintenanceOrder",
        "ReleaseMaintenanceOrder",
        "SetMaintOrderToReadyForSchedg",
        "ScheduleMaintenanceOrder",
        "SetMaintOrdToMainWorkComplete",
        "SetMaintOrdToTechCompleted",
        "SetMaintOrderStatusToClosed",
    )
    phases, states = [], []
    for name in names:
        answer = await call(sap, name)
        assert answer.status == 200, answer.text
        about = {"type": "cds_api_maintenanceorder_2.DummyFunctionImportResult"}
        assert answer.data == {name: {"__metadata": about, "IsInvalid": False}}
        row = (await sap.get(f"{ORDER}('4000013')")).data
        phases.append(row["MaintOrdProcessPhaseCode"])
        states.append(row["SystemStatusText"].split()[0])

    assert phases == ["03", "04", "04", "05", "06", "07", "07", "07"]
    assert states == ["CRTD", "CRTD", "REL", "REL", "REL", "REL", "TECO", "CLSD"]


async def test_a_status_that_does_not_allow_it_is_refused(sap: SapCaller) -> None:
    await sap.write("POST", ORDER, BODY)

    early = await call(sap, "SetMaintOrdToTechCompleted")
    await call(sap, "SubmitMaintOrderForApproval")
    waiting = await call(sap, "ReleaseMaintenanceOrder")
    unknown = await call(sap, "ReleaseMaintenanceOrder", "9")
    missing = await sap.write("POST", f"{MAINTENANCE}/ReleaseMaintenanceOrder")
    by_get = await sap.get(f"{MAINTENANCE}/ReleaseMaintenanceOrder?MaintenanceOrder='4000013'")

    assert (early.codes, waiting.codes, unknown.codes) == (["BS/013"], ["BS/007"], ["IW/080"])
    assert (missing.status, missing.error["code"]) == (400, "/IWCOR/CX_OD_EP_PARAM_ERROR")
    assert by_get.status == 405


async def test_the_time_of_completion_can_be_given(sap: SapCaller) -> None:
    await sap.write("POST", ORDER, BODY)
    await call(sap, "ReleaseMaintenanceOrder")

    moment = "&MainWorkCompletedDateTime=datetimeoffset'2026-11-19T08:00:00Z'&MainWrkCmpltdDateTimeIsUsed=true"
    await call(sap, "SetMaintOrdToMainWorkComplete", more=moment)

    row = (await sap.get(f"{ORDER}('4000013')")).data
    assert row["MainWorkCompletedDateTime"] == "/Date(1795075200000+0000)/"


async def test_a_reset_leads_back(sap: SapCaller) -> None:
    await sap.write("POST", ORDER, BODY)
    before = (await sap.get(f"{ORDER}('4000013')")).data["SystemStatusText"]

    for name in ("SetMaintOrderToDoNotExecute", "ResetStatusFromDoNotExecute"):
        assert (await call(sap, name)).status == 200
    for name in ("SetMaintOrdStsToMrkdForDeltn", "ResetMaintOrdStsMrkdForDeltn"):
        assert (await call(sap, name)).status == 200

    assert (await sap.get(f"{ORDER}('4000013')")).data["SystemStatusText"] == before


async def test_an_order_changes_until_it_is_technically_complete(sap: SapCaller) -> None:
    await sap.write("POST", ORDER, BODY)
    change = {"MaintenanceOrderDesc": "Anders", "SystemStatusText": "CLSD"}
    first = await sap.write("PATCH", f"{ORDER}('4000013')", change)
    operation = await sap.write(
        "POST", f"{ORDER}('4000013')/to_MaintenanceOrderOperation", {"OperationDescription": "Noch etwas"}
    )
    await call(sap, "ReleaseMaintenanceOrder")
    await call(sap, "SetMaintOrdToTechCompleted")
    last = await sap.write("PATCH", f"{ORDER}('4000013')", change)

    row = (await sap.get(f"{ORDER}('4000013')")).data
    assert (first.status, last.status, last.codes) == (204, 400, ["BS/007"])
    assert operation.data["MaintenanceOrderOperation"] == "0020"
    assert (row["MaintenanceOrderDesc"], row["SystemStatusText"].split()[0]) == ("Anders", "TECO")


async def test_operations_are_not_created_in_their_set_and_orders_not_deleted(sap: SapCaller) -> None:
    operation = await sap.write("POST", f"{MAINTENANCE}/MaintenanceOrderOperation", {"OperationDescription": "x"})
    deleted = await sap.write("DELETE", f"{ORDER}('4000001')")

    assert (operation.status, deleted.status) == (501, 501)


def test_each_function_import_has_its_transition() -> None:
    assert set(load_services()[MAINTENANCE].functions) == set(TRANSITIONS)
