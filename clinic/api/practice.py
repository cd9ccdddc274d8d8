"""Who calls, and the lists that everything refers to: chairs, providers, codes, accounts."""
from datetime import date
from uuid import UUID

from ninja import Query, Schema

from clinic.access.rules import find, rule, signed_in
from clinic.audit.looks import Kind, look
from clinic.models import Account, DiagnosisCode, Operatory, Patient, ProcedureCode, Provider
from clinic.web.bodies import Listed, Money, Paging, Text, choice
from clinic.web.endpoints import Endpoints

router = Endpoints(tags=["Practice"])
OTHER_HATS = {"coach": "coach", "portal": "patient"}  # no roles of a membership, but roles to the reader


class Me(Schema):
    """The caller, in the clinic and under the hat of this request."""

    id: UUID
    email: str
    name: str
    clinic_id: UUID
    time_zone: str
    today: date
    roles: list[str]
    permissions: list[str]
    provider_id: UUID | None
    patient_id: UUID | None


@router.get("/me", response=Me)
@signed_in
def me(request):
    """Who calls, with which roles and permissions, and the clinic's date."""
    actor = request.actor
    provider = Provider.objects.that_is(actor)
    return {
        "id": actor.user.pk, "email": actor.user.email, "name": actor.user.name, "clinic_id": actor.clinic_id,
        "time_zone": actor.clinic.time_zone, "today": actor.clinic.today(), "roles": sorted(actor.roles) or [OTHER_HATS[actor.hat]],
        "permissions": sorted(name.replace(".", ":") for name in actor.permissions),
        "provider_id": provider.pk if provider else None, "patient_id": actor.patient.pk if actor.patient else None,
    }


class OperatoryShown(Schema):
    """A room with a chair."""

    id: UUID
    name: str
    is_hygiene: bool


@router.get("/operatories", response=Listed[OperatoryShown])
@rule("clinic.view_operatory")
def operatories(request, paging: Query[Paging]):
    """The rooms with a chair that are in use."""
    return paging.of(Operatory.objects.visible_to(request.actor).current())


class ProviderShown(Schema):
    """A person who treats."""

    id: UUID
    name: str
    short_name: str
    kind: choice(Provider.Kind)
    user_id: UUID | None


@router.get("/providers", response=Listed[ProviderShown])
@rule("clinic.view_provider")
def providers(request, paging: Query[Paging], kind: choice(Provider.Kind) | None = None):
    """Those who treat, of one kind when `kind` says so."""
    rows = Provider.objects.visible_to(request.actor).current()
    return paging.of(rows.filter(kind=kind) if kind else rows)


class CodeShown(Schema):
    """A procedure that the practice does, with its code and the office's fee."""

    id: UUID
    code: str
    name: str
    description: str
    category: choice(ProcedureCode.Category)
    treatment_area: choice(ProcedureCode.Area)
    minutes: int
    fee: Money
    edition: str

    @staticmethod
    def resolve_name(row):
        return str(row)


@router.get("/procedure-codes", response=Listed[CodeShown])
@rule("clinic.view_procedurecode")
def procedure_codes(request, paging: Query[Paging], search: Text = "", category: choice(ProcedureCode.Category) | None = None):
    """The codes in use and effective today; `search` is the start of a code, or words of its description, in part too."""
    rows = ProcedureCode.objects.visible_to(request.actor).current(request.actor.clinic.today())
    rows = rows.search(search) if search.strip() else rows
    return paging.of(rows.filter(category=category) if category else rows)


class DiagnosisShown(Schema):
    """A code of ICD-10-CM; a claim names only one that is billable."""

    code: str
    name: str
    description: str
    is_billable: bool
    release: date
    effective_from: date
    effective_to: date | None

    @staticmethod
    def resolve_name(row):
        return str(row)


@router.get("/diagnosis-codes", response=Listed[DiagnosisShown])
@rule("clinic.view_procedurecode")
def diagnosis_codes(request, paging: Query[Paging], search: Text = ""):
    """ICD-10-CM as it holds today; `search` is the start of a code, or words of its description, in part too, best first."""
    rows = DiagnosisCode.objects.visible_to(request.actor).in_force(request.actor.clinic.today())
    return paging.of(rows.search(search) if search.strip() else rows)


class AddressShown(Schema):
    """Where letters go."""

    line1: str
    line2: str
    city: str
    region: str
    postal_code: str
    country: str


class AccountShown(Schema):
    """Who pays, and for whom."""

    id: UUID
    name: str
    phone: str
    email: str
    address: AddressShown
    holder_patient_id: UUID | None
    patient_ids: list[UUID]
    version: int


@router.get("/accounts/{uuid:account_id}", response=AccountShown)
@rule("clinic.view_account")
def account(request, account_id: UUID):
    """One account with the patients that it pays for."""
    row = find(Account.objects.select_related("holder"), request.actor, pk=account_id)
    patients = list(Patient.objects.visible_to(request.actor).current().filter(account=row).values_list("pk", flat=True))
    look(request, Kind.VIEW, row.holder, rows=len(patients))
    return {
        "id": row.pk, "name": row.name, "phone": str(row.phone), "email": row.email, "address": row,
        "holder_patient_id": row.holder_id, "patient_ids": patients, "version": row.version}


