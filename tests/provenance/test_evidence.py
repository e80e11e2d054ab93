"""Evidence in the formats of others, checked with their own libraries and schemas."""

from __future__ import annotations

import json
import os
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from foretaste.data import file_sha256
from foretaste.errors import DataError
from foretaste.provenance.evidence import croissant, cyclonedx, in_toto, openlineage, prov
from foretaste.provenance.evidence.past import Past, past
from foretaste.provenance.lineage import Activity, Artefact, LineageGraph

DATA, OTHER, MODEL = "a" * 64, "b" * 64, "c" * 64
OPENLINEAGE = os.environ.get("FORETASTE_OPENLINEAGE_SCHEMA", "")


@pytest.fixture(scope="module")
def graph() -> Any:
    with LineageGraph(":memory:") as made:
        first, second = Artefact("data", DATA, "a.csv", 10), Artefact("data", OTHER, "b.csv", 5)
        version = Artefact("version", "train@1", "train", 15)
        model = Artefact("model", MODEL, "model.pkl")
        command = {"command": ["python", "train.py"], "exit": 0, "environment": {"python": "3.12"}}
        steps = [
            ("ingest", (Artefact("source", "vendor & söhne", "vendor & söhne"),), first, {}),
            ("ingest", (Artefact("source", "web", "web"),), second, {}),
            ("version", (first, second), version, {}),
            ("train", (version,), model, command),
            ("deploy", (model,), Artefact("deployment", "production", "production"), {}),
        ]
        for hour, (kind, inputs, output, details) in enumerate(steps):
            time = f"2026-11-26T1{hour}:00:00.000000Z"
            made.record(Activity(kind, time, inputs, (output,), details=details), entry=hour)
        yield made


@pytest.fixture
def known(graph: LineageGraph) -> Past:
    return past(graph, "model.pkl")


def test_the_past_goes_back_to_the_sources_and_no_further_than_the_subject(known: Past) -> None:
    assert {artefact.key for artefact in known.artefacts} == {
        "vendor & söhne", "web", DATA, OTHER, "train@1", MODEL,
    }  # fmt: skip
    assert [step.kind for step in known.steps] == ["ingest", "ingest", "version", "train"]


def test_a_subject_must_be_one_known_thing(graph: LineageGraph) -> None:
    with pytest.raises(DataError, match="nothing is recorded about 'x'"):
        past(graph, "x")
    assert past(graph, "production").steps[-1].kind == "deploy"


def test_the_in_toto_statement_is_read_by_the_reference_library(known: Past) -> None:
    library = pytest.importorskip("in_toto_attestation.v1.statement_pb2")
    provenance = pytest.importorskip("in_toto_attestation.predicates.provenance.v1.provenance_pb2")
    from google.protobuf.json_format import Parse, ParseDict

    encoded = in_toto.statement(known).encode()
    read = Parse(encoded.decode(), library.Statement())
    assert read.type == "https://in-toto.io/Statement/v1"
    assert dict(read.subject[0].digest) == {"sha256": MODEL}
    predicate = ParseDict(json.loads(encoded)["predicate"], provenance.Provenance())
    assert predicate.build_definition.resolved_dependencies[0].name == "train"
    assert list(predicate.build_definition.external_parameters["command"]) == ["python", "train.py"]
    with pytest.raises(DataError, match="is about files"):
        in_toto.statement(Past(Artefact("version", "train@1", "train"), [], []))


def test_the_bill_of_materials_is_valid_cyclonedx(graph: LineageGraph, known: Past) -> None:
    validation = pytest.importorskip("cyclonedx.validation.json")
    from cyclonedx.schema import SchemaVersion

    validator = validation.JsonStrictValidator(SchemaVersion.V1_6)
    for name in ("model.pkl", "a.csv", "train@1", "production"):
        bill = cyclonedx.bill(past(graph, name))
        assert validator.validate_str(json.dumps(bill)) is None
    bill = cyclonedx.bill(known)
    assert bill == cyclonedx.bill(known)
    main = bill["metadata"]["component"]
    assert (main["type"], main["hashes"]) == (
        "machine-learning-model",
        [{"alg": "SHA-256", "content": MODEL}],
    )
    assert main["modelCard"]["modelParameters"]["datasets"] == [{"ref": "urn:foretaste:version:train%401"}]
    parts = {component["name"]: component for component in bill["components"]}
    assert parts["a.csv"]["supplier"] == {"name": "vendor & söhne"}
    needs = {one["ref"]: set(one.get("dependsOn", [])) for one in bill["dependencies"]}
    assert needs["urn:foretaste:version:train%401"] == {
        f"urn:foretaste:sha256:{DATA}",
        f"urn:foretaste:sha256:{OTHER}",
    }


def test_prov_is_read_by_the_reference_library(known: Past) -> None:
    model = pytest.importorskip("prov.model")
    read = model.ProvDocument.deserialize(content=json.dumps(prov.document(known)))
    kinds = [type(record).__name__ for record in read.get_records()]
    assert (kinds.count("ProvEntity"), kinds.count("ProvActivity"), kinds.count("ProvAgent")) == (4, 4, 2)
    assert (kinds.count("ProvUsage"), kinds.count("ProvGeneration"), kinds.count("ProvAttribution")) == (
        3,
        4,
        2,
    )
    generated = {
        (str(record.args[0]).split(":")[1][:8], str(record.args[1])[:11])
        for record in read.get_records(model.ProvGeneration)
    }
    assert ("model-cc", "ft:activity") in generated


def test_openlineage_events_have_what_the_specification_demands(known: Past) -> None:
    events = list(openlineage.events(known))
    assert [event["eventType"] for event in events] == ["START", "COMPLETE"] * 4
    for event in events:
        assert {"run", "job", "eventTime", "producer", "schemaURL"} <= set(event)
        uuid.UUID(event["run"]["runId"])
        datetime.fromisoformat(event["eventTime"])
        facets = [*event["run"]["facets"].values(), *event["job"]["facets"].values()]
        for dataset in event["inputs"] + event["outputs"]:
            assert dataset["namespace"]
            assert dataset["name"]
            facets += dataset["facets"].values()
        assert all({"_producer", "_schemaURL"} <= set(facet) for facet in facets)
    trained = events[-1]
    assert trained["job"]["name"] == "train: python train.py"
    assert trained["outputs"][0]["facets"]["version"]["datasetVersion"] == f"sha256:{MODEL}"


@pytest.mark.skipif(not Path(OPENLINEAGE).is_file(), reason="FORETASTE_OPENLINEAGE_SCHEMA names no schema")
def test_openlineage_events_follow_the_official_schema(known: Past) -> None:
    schema = json.loads(Path(OPENLINEAGE).read_text("utf-8"))
    checker = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    for event in openlineage.events(known):
        checker.validate(event)


def test_croissant_names_every_file_with_its_hash_and_every_column(tmp_path: Path) -> None:
    file = tmp_path / "train.csv"
    file.write_text('a,b,"c d",label\n1,0.5,x,true\n2,1.5,y,false\n')
    made = croissant.metadata(
        [file], name="train", license="CC0-1.0", url="https://example.org", creators=["v"]
    )
    (described,) = made["distribution"]
    assert (described["sha256"], described["contentSize"]) == (file_sha256(file), f"{file.stat().st_size} B")
    fields = {one["name"]: one["dataType"] for one in made["recordSet"][0]["field"]}
    assert fields == {"a": "sc:Integer", "b": "sc:Float", "c d": "sc:Text", "label": "sc:Boolean"}
    mlcroissant = pytest.importorskip("mlcroissant")
    (tmp_path / "croissant.json").write_text(json.dumps(made))
    read = mlcroissant.Dataset(tmp_path / "croissant.json")
    assert [record["train/a"] for record in read.records("train")] == [1, 2]
