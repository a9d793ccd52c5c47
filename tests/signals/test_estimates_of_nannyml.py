"""Estimates through our summaries against NannyML's own, on the set that its package ships.

The numbers below are NannyML 0.13.1's for chunks of 5,000 of its synthetic car loans: the first ten of its reference,
which it estimates too, then the ten of its analysis. The set itself is fetched with pip when the test is first run.
"""

import csv
import io
import subprocess
import sys
import zipfile
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest

from mlvitals.signals.estimated import CBPE, PERFORMANCE_ESTIMATED
from mlvitals.signals.spec import Evidence
from mlvitals.windows.categories import Coders
from mlvitals.windows.choice import Choice
from mlvitals.windows.groups import group_rows
from mlvitals.windows.summarize import Columns, summarize
from mlvitals.windows.summary import Summary
from mlvitals.windows.taking import take_reference
from mlvitals.windows.window import WindowSize

pytestmark = pytest.mark.integration

PACKAGE = "nannyml==0.13.1"
FOLDER = "nannyml/datasets/data/synthetic_car_loan_"
CHUNK = 5_000

METRICS = ("roc_auc", "f1", "precision", "recall", "specificity", "accuracy")
# NannyML rounds the counts below its curve to five decimals.
ALLOWED = {"roc_auc": 1e-8} | dict.fromkeys(METRICS[1:], 1e-12)
NANNYML = (
    (
        0.9712077366724291,
        0.9429595456600334,
        0.9573434673982567,
        0.9290014577655078,
        0.9597169245010251,
        0.9445680211107409,
    ),
    (
        0.9710402329592278,
        0.9408269716556072,
        0.9565635240525733,
        0.9255998074348648,
        0.9590357087414549,
        0.9425325182212335,
    ),
    (
        0.9709731741055767,
        0.9432110842479762,
        0.9575445441294491,
        0.9293004100892504,
        0.9578437235547097,
        0.9434088894053443,
    ),
    (
        0.9711841899803618,
        0.9429013828404934,
        0.9570608866265634,
        0.9291547442484553,
        0.958726656995317,
        0.944014441895046,
    ),
    (
        0.9710429075807885,
        0.943178385248926,
        0.9571526761455199,
        0.9296062679355817,
        0.9577311677992023,
        0.9435589726299058,
    ),
    (
        0.971053182877198,
        0.9427023597100845,
        0.9565686644725515,
        0.92923231933186,
        0.9586885301067496,
        0.9441154118586568,
    ),
    (
        0.970868269428624,
        0.9408584293654512,
        0.9584962820007898,
        0.923857976518825,
        0.9594160548387162,
        0.9415090366831042,
    ),
    (
        0.9711612086115209,
        0.9445879876527462,
        0.9571360080211678,
        0.9323647180496389,
        0.9576339021798358,
        0.9449074723291259,
    ),
    (
        0.9713079159906497,
        0.944518177869509,
        0.9574052066203137,
        0.9319734697185608,
        0.9585908743026268,
        0.9452908783876224,
    ),
    (
        0.9711285485988155,
        0.9444301533106605,
        0.956087336730133,
        0.9330538083200208,
        0.9571020730440276,
        0.945071885569108,
    ),
    (
        0.97074363630015,
        0.9430304451628215,
        0.9577859639734007,
        0.9287226714391587,
        0.9558789524616284,
        0.9417918815681862,
    ),
    (
        0.9710106327368981,
        0.9413244905845768,
        0.9579555501211214,
        0.9252610402036829,
        0.9607685275517928,
        0.9433212063264171,
    ),
    (
        0.9714067155511361,
        0.9435742205302156,
        0.9582754860576947,
        0.9293172147607569,
        0.9610577693833253,
        0.945491564102071,
    ),
    (
        0.9710913930740382,
        0.9431585198049771,
        0.9569984900176427,
        0.9297131461875928,
        0.9594689725336182,
        0.9448160090577434,
    ),
    (
        0.971123121124055,
        0.944204158374318,
        0.9582079437563861,
        0.9306037954138264,
        0.9588727206662024,
        0.9446449963258085,
    ),
    (
        0.9610902734539033,
        0.9117534391710251,
        0.9413175443441135,
        0.8839898342239327,
        0.9398723910899891,
        0.9107141561301565,
    ),
    (
        0.9618247016040209,
        0.9117656547639935,
        0.9418680990149688,
        0.8835277879040948,
        0.9410230665488393,
        0.9111494651135412,
    ),
    (
        0.9610734463362078,
        0.9116608243766048,
        0.9394132548250981,
        0.8855010835934413,
        0.9387478893453203,
        0.9111927290072174,
    ),
    (
        0.9625334611153133,
        0.9137626782640867,
        0.943346917546972,
        0.8859775944667729,
        0.9441904411919922,
        0.914389361952461,
    ),
    (
        0.9613161529631752,
        0.9147512437652607,
        0.941132923512213,
        0.8898082875764359,
        0.9366748891533098,
        0.9117313189100634,
    ),
)


@pytest.fixture(scope="session")
def wheel(pytestconfig: pytest.Config) -> zipfile.ZipFile:
    """The package, which is looked into and never installed."""
    assert pytestconfig.cache is not None
    folder = pytestconfig.cache.mkdir("nannyml")
    found = list(folder.glob("nannyml-*.whl"))
    if not found:
        fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), PACKAGE]
        fetched = subprocess.run(fetch, capture_output=True, text=True, check=False, timeout=300)
        if fetched.returncode:
            pytest.skip(f"pip cannot fetch {PACKAGE}: {fetched.stderr.strip()[-200:]}")
        found = list(folder.glob("nannyml-*.whl"))
    return zipfile.ZipFile(found[0])


def rows_of(wheel: zipfile.ZipFile, part: str) -> pa.RecordBatch:
    """Return a part of the set as a batch of events; its labels where they stand beside the predictions."""
    with wheel.open(f"{FOLDER}{part}.csv") as file:
        rows = list(csv.DictReader(io.TextIOWrapper(file, "utf-8")))
    columns = {
        "prediction.score": pa.array([float(row["y_pred_proba"]) for row in rows]),
        "prediction.label": pa.array([row["y_pred"] for row in rows]),
    }
    if "repaid" in rows[0]:
        columns["label"] = pa.array([row["repaid"].removesuffix(".0") for row in rows])
    return pa.record_batch(columns)


def halves(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    yield batch.slice(0, batch.num_rows // 3)
    yield batch.slice(batch.num_rows // 3)


def test_every_chunk_is_estimated_as_nannyml_estimates_it(wheel):
    learned, served = rows_of(wheel, "reference"), rows_of(wheel, "analysis")
    reference = take_reference(
        Choice(),
        lambda: halves(learned),
        model="loans",
        version="",
        size=WindowSize.parse("1d"),
        complete=False,
        provenance={},
    ).summary
    chunks = [rows.slice(start, CHUNK) for rows in (learned, served) for start in range(0, rows.num_rows, CHUNK)]
    assert len(chunks) == len(NANNYML)
    for chunk, expected in zip(chunks, NANNYML, strict=True):
        window = Summary.empty(reference.layout)
        for part in halves(chunk):  # counted in parts, added
            grouping = group_rows(np.arange(part.num_rows), np.zeros(part.num_rows, dtype=np.int64), None)
            window.served[:] += summarize(Columns(part, Coders()), reference.layout, grouping, None)[0]
        readings = PERFORMANCE_ESTIMATED.compute(Evidence(current=window, reference=reference))
        found = {one.attributes["metric"]: one for one in readings if one.attributes["method"] == CBPE}
        for metric, value in zip(METRICS, expected, strict=True):
            assert abs(found[metric].value - value) <= ALLOWED[metric], metric
            assert found[metric].samples == CHUNK
