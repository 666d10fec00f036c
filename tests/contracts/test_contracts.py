"""AWS's documented behaviour, operation by operation: one call that succeeds, one that is denied, one that fails."""

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from tests.contracts import acting, deploying, observing, running, storing
from tests.contracts.contract import Contract
from tests.contracts.place import Place

CONTRACTS = (
    *storing.CONTRACTS,
    *observing.CONTRACTS,
    *running.CONTRACTS,
    *acting.CONTRACTS,
    *deploying.CONTRACTS,
)
DENIALS = ("AccessDenied", "AccessDeniedException", "AuthorizationError")
every_contract = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)


@every_contract
def test_it_succeeds(place: Place, contract: Contract) -> None:
    client = place.admin(contract.service)

    answer = getattr(client, xform_name(contract.operation))(**contract.happy(place))

    assert answer["ResponseMetadata"]["HTTPStatusCode"] in (200, 204), contract.page
    assert not contract.gives or contract.gives in answer, contract.page


@every_contract
def test_whoever_has_no_policy_is_denied(place: Place, contract: Contract) -> None:
    client = place.nobody(contract.service)
    call = getattr(client, xform_name(contract.operation))
    if contract.always:
        assert call(**contract.happy(place)), contract.page
        return

    with pytest.raises(ClientError) as error:
        call(**contract.happy(place))

    assert error.value.response["Error"]["Code"] in DENIALS, contract.page
    assert contract.denied_action.lower() in error.value.response["Error"]["Message"].lower(), contract.page


@every_contract
def test_it_fails_as_documented(place: Place, contract: Contract) -> None:
    client = (place.forged if contract.always or contract.forged else place.admin)(contract.service)

    with pytest.raises(ClientError) as error:
        getattr(client, xform_name(contract.operation))(**contract.wrong(place))

    assert error.value.response["Error"]["Code"] == contract.code, contract.page


def test_no_operation_has_two_contracts() -> None:
    names = [contract.name for contract in CONTRACTS]
    assert len(set(names)) == len(names)
