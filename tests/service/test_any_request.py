"""Whatever the OpenAPI document allows, and much that it does not: never our fault, and the answer it promises.

Every operation of the document is tried, whoever added it, by a caller who may do everything; over the path,
query, headers and body, with good values and bad ones. `make soak` tries new ones, as many as time allows.
"""

from __future__ import annotations

import os

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import (
    CoveragePhaseConfig,
    ExamplesPhaseConfig,
    FuzzingPhaseConfig,
    GenerationConfig,
    PhasesConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from runtime.build import build
from serving.app import create_app
from tests.worlds.service import API_KEY, ask, call, settings_in, settle

PROMISES = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
NEW = os.environ.get("KAIROS_HYPOTHESIS") == "soak"
EXAMPLES = 60 if NEW else 12
PEOPLE = [f"person-{number}" for number in range(20)]

any_request = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=not NEW,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    """What the application in this process says of itself, with people and decisions in its ledger."""
    home = settings_in(tmp_path_factory.mktemp("any-request"))
    settle(home, PEOPLE)
    with build(home) as kairos:
        app = create_app(kairos)
        for who in PEOPLE[:5]:
            call(app, "POST", "/v1/decisions", json=ask(who))
        yield schemathesis.openapi.from_asgi("/openapi.json", app, config=config())


def config() -> SchemathesisConfig:
    """Fuzzing alone, so that the number of requests is bounded; good values and bad."""
    phases = PhasesConfig(
        examples=ExamplesPhaseConfig(enabled=True),
        coverage=CoveragePhaseConfig(enabled=NEW),
        fuzzing=FuzzingPhaseConfig(enabled=True),
    )
    generation = GenerationConfig(
        modes=list(GenerationMode), deterministic=not NEW, database="none", with_security_parameters=False
    )
    project = ProjectConfig(phases=phases, generation=generation)
    return SchemathesisConfig(projects=ProjectsConfig(default=project))


schema = schemathesis.pytest.from_fixture("described")


@schema.parametrize()
@any_request
def test_any_request_has_the_answer_that_is_described(case):
    case.call_and_validate(headers={"X-API-Key": API_KEY}, checks=PROMISES)


def test_every_endpoint_of_the_application_is_in_the_document(described):
    paths = {operation.ok().path for operation in described.get_all_operations()}
    assert {"/v1/decisions", "/v1/events", "/v1/outbox", "/v1/unsubscribe/{token}"} & paths
    assert len(paths) > 10
