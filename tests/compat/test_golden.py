"""What the peers themselves printed of the seeded set, reproduced."""

import json
from pathlib import Path

import pytest

from mlvitals.compat import evidently, nannyml

# From the golden values: Evidently 0.7.23 and NannyML 0.13.1 on 200,000 reference rows and 100,000 current ones.
EVIDENTLY = {
    ("num_02", "psi"): 0.01547123259493395,
    ("num_02", "jensenshannon"): 0.043848187825885766,
    ("num_02", "wasserstein"): 0.10370862309073689,
    ("num_15", "psi"): 0.00040110828799959114,
    ("num_15", "ks"): 0.7856734391624335,
    ("cat_10", "psi"): 0.007687536518679393,
    ("cat_10", "jensenshannon"): 0.03098991763046942,
    ("cat_10", "chisquare"): 7.628191190168092e-162,
    ("cat_100k", "psi"): 7.1502324190022675,
}
NANNYML = {
    ("num_02", "jensen_shannon"): 0.051327988119272576,
    ("num_02", "kolmogorov_smirnov"): 0.046074999999999866,
    ("num_02", "wasserstein"): 0.10367298274148445,
    ("num_02", "hellinger"): 0.04280533430061438,
    ("num_15", "wasserstein"): 0.017482961611647852,
    ("cat_10", "jensen_shannon"): 0.03722268451240312,
    ("cat_10", "chi2"): 513.9273368023335,
    ("cat_10", "l_infinity"): 0.02816000000000002,
    ("cat_10", "hellinger"): 0.0309944900338531,
}

# Keys of the golden file by method.
EVIDENTLY_KEYS = {
    "psi": "evidently_psi",
    "jensenshannon": "evidently_js",
    "wasserstein": "evidently_wasserstein_norm",
    "chisquare": "evidently_chisquare_p",
    "ks": "scipy_ks_p",
}
# Sums of rounded numbers in another order; a p-value far out multiplies what its statistic is off by.
RELATIVE = 1e-12


def told(peer, tables, feature, method):
    reference, current = (table.select([feature]) for table in tables)
    categorical = [feature] if feature.startswith("cat") else []
    (verdict,) = peer.drift(reference, current, method=method, categorical=categorical)
    return verdict.value


@pytest.mark.parametrize(("feature", "method"), EVIDENTLY)
def test_evidently_is_reproduced(golden_tables, feature, method):
    expected = EVIDENTLY[feature, method]
    assert told(evidently, golden_tables, feature, method) == pytest.approx(expected, rel=RELATIVE, abs=0)


@pytest.mark.parametrize(("feature", "method"), NANNYML)
def test_nannyml_is_reproduced(golden_tables, feature, method):
    expected = NANNYML[feature, method]
    assert told(nannyml, golden_tables, feature, method) == pytest.approx(expected, rel=RELATIVE, abs=0)


@pytest.fixture(name="golden")
def _golden(shared_data: Path) -> dict[str, dict[str, float]]:
    features: dict[str, dict[str, float]] = json.loads((shared_data.parent / "golden/golden.json").read_text())[
        "features"
    ]
    return features


@pytest.mark.shared
def test_every_golden_value_of_every_feature_is_reproduced(golden_tables, golden):
    compared = 0
    for feature, values in golden.items():
        methods = [(evidently, method, key) for method, key in EVIDENTLY_KEYS.items() if key in values]
        methods += [(nannyml, key.removeprefix("nannyml_"), key) for key in values if key.startswith("nannyml_")]
        for peer, method, key in methods:
            found = told(peer, golden_tables, feature, method)
            assert found == pytest.approx(values[key], rel=RELATIVE, abs=0), (feature, key)
            compared += 1
    assert compared == 203
