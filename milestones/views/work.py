"""The work inside a milestone: tasks, what is told of them and its review, time, evidence, talk. All of it stands on its page."""
from functools import wraps

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.rules import find, rule
from clinic.audit.looks import Kind
from clinic.db.refusals import NotAllowed, Refused
from clinic.documents import as_it_came, file_name
from clinic.files.examine import Unfit
from clinic.files.uploads import takes_files
from clinic.views.patients import patient_context
from clinic.web.asked import key
from clinic.web.conflicts import save_form
from clinic.web.once import once
from milestones.looks import find_evidence, find_milestone, find_task, find_update
from milestones.models import Comment, Evidence, Task, TaskUpdate, TimeEntry
from milestones.proposals import proposals
from milestones.views.milestones import opened_page
from milestones.work_forms import CommentForm, EvidenceForm, TaskForm, TimeForm, UpdateForm
from scheduling.forms import tell


def _answering(act):
    """After the act its milestone's page; what was refused is said there. `act(request, row)`: the milestone and a sentence."""
    @wraps(act)
    def answered(request, row):
        try:
            milestone, said = act(request, row)
        except NotAllowed:
            raise
        except (ValidationError, Refused) as error:
            milestone = row if hasattr(row, "tasks") else row.milestone
            said = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
            return opened_page(request, milestone, refused=said)
        messages.success(request, said)
        return _to(milestone)
    return answered


@rule("milestone.update")
@require_POST
@once
def task_new(request, milestone_id):
    """Put a task into a milestone."""
    found = find_milestone(request, milestone_id)
    form = TaskForm(request.POST, instance=Task(milestone=found, clinic=request.actor.clinic), actor=request.actor)
    if form.is_valid():
        try:
            form.add()
        except ValidationError as error:
            tell(form, error)
        else:
            messages.success(request, "The task is added.")
            return _to(found)
    return opened_page(request, found, forms={"task": form})


@rule("milestone.update")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def task_edit(request, task_id):
    """Change what a task says. Of two who do so at once the second one sees both."""
    found = find_task(request, task_id)
    context = {**patient_context(request, found.patient.person, "milestones"), "task": found, "milestone": found.milestone}
    form = TaskForm(request.POST or None, instance=found, actor=request.actor)
    if form.is_bound and form.is_valid():
        try:
            return save_form(request, form, _page_of(found.milestone), context=lambda: context)
        except ValidationError as error:
            tell(form, error)
    return render(request, "milestones/task_form.html", {**context, "form": form}, status=422 if form.is_bound else 200)


@rule("milestone.update")
@require_POST
@once
def task_step(request, task_id, step_name):
    """Cancel a task, open it again, or take it out."""
    return _task_step(request, find_task(request, task_id), step_name)


def _task_step(request, task, step_name):
    acts = {"cancel": ("cancelled", task.cancel), "reopen": ("open again", task.reopen), "withdraw": ("taken out", task.withdraw)}
    if step_name not in acts:
        raise Http404
    said, verb = acts[step_name]
    return _answering(lambda request, task: (
        verb(by=request.actor, because=request.POST.get("because", "")) and task.milestone, f"The task is {said}."))(request, task)


@rule("milestone.work")
@require_POST
@once
def update_new(request, task_id):
    """Tell how a task goes. Who reviews such updates may approve their own with the same press (`approve`)."""
    found = find_task(request, task_id)
    form = UpdateForm(request.POST)
    if not form.is_valid():
        return opened_page(request, found.milestone, refused=_said(form), typed=request.POST)
    return _tell(request, found, form.cleaned_data)


def _tell(request, task, told):
    @_answering
    def act(request, task):
        update = TaskUpdate.tell(by=request.actor, task=task, **told)
        if "approve" in request.POST:
            update.review(by=request.actor, decision="approved")
            return task.milestone, "Written down and approved."
        return task.milestone, "Written down. It waits for review."
    return act(request, task)


@rule("treatment.write_plan")
@require_POST
@once
def update_review(request, update_id):
    """Approve what was told of a task, or send it back."""
    @_answering
    def act(request, update):
        update.review(by=request.actor, decision=request.POST.get("decision", ""), reason=request.POST.get("reason", ""))
        return update.milestone, f"The update is {update.get_status_display().lower()}."
    return act(request, find_update(request, update_id))


@rule("milestone.work")
@require_POST
@once
def time_new(request, task_id):
    """Write down time on a task."""
    found, form = find_task(request, task_id), TimeForm(request.POST, actor=request.actor)
    if not form.is_valid():
        return opened_page(request, found.milestone, refused=_said(form), typed=request.POST)

    @_answering
    def act(request, task):
        now = timezone.now()
        TimeEntry.log(by=request.actor, task=task, started_at=form.started_at(now), minutes=form.cleaned_data["minutes"],
                      note=form.cleaned_data["note"], now=now)
        return task.milestone, "The time is written down."
    return act(request, found)


@rule("milestone.update")
@require_POST
@takes_files
@once
def evidence_new(request, milestone_id):
    """Add evidence: a file, a figure, or an address."""
    found = find_milestone(request, milestone_id)
    form = EvidenceForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            Evidence.add(by=request.actor, milestone=found, **form.values())
        except (ValidationError, Unfit) as error:
            tell(form, error if isinstance(error, ValidationError) else ValidationError({"file": str(error)}), description="title")
        else:
            messages.success(request, "The evidence is added.")
            return _to(found)
    return opened_page(request, found, forms={"evidence": form})


@rule("milestone.update")
@require_POST
@once
def evidence_confirm(request, milestone_id):
    """Take what the record offers as evidence."""
    found, wanted = find_milestone(request, milestone_id), key(request.POST.get("row"))
    offered = next((each for each in proposals(found) if each.row.pk == wanted), None)
    if offered is None:
        raise Refused("The record no longer offers this as evidence. Look at the page again.")
    return _answering(lambda request, milestone: (
        offered.confirm(by=request.actor, milestone=milestone).milestone, "Taken as evidence."))(request, found)


@rule("milestone.update")
@require_POST
@once
def evidence_withdraw(request, evidence_id):
    """Take evidence out, with a reason."""
    @_answering
    def act(request, evidence):
        evidence.withdraw(by=request.actor, because=request.POST.get("because", ""))
        return evidence.milestone, "The evidence is taken out."
    return act(request, find_evidence(request, evidence_id))


@rule("treatment.view_plan")
@require_safe
def evidence_file(request, evidence_id):
    """The file as it came, decrypted."""
    found = find_evidence(request, evidence_id, Kind.EXPORT)
    if found.attachment is None:
        raise Http404
    return as_it_came(found.attachment, file_name(found.title))


@rule("treatment.view_plan")
@require_POST
@once
def comment_new(request, milestone_id):
    """Write about a milestone; `@Name` tells that colleague."""
    found, form = find_milestone(request, milestone_id), CommentForm(request.POST)
    if form.is_valid():
        data = dict(form.cleaned_data)
        if parent := data.pop("parent"):
            data["parent"] = find(Comment.objects.filter(milestone=found), request.actor, pk=parent)
        Comment.write(by=request.actor, milestone=found, **data)
        messages.success(request, "Written.")
        return _to(found)
    return opened_page(request, found, forms={"comment": form})


def _page_of(milestone):
    return f"{reverse('milestones:milestone', args=[milestone.pk])}#milestone"


def _to(milestone):
    return redirect(_page_of(milestone))


def _said(form):
    return " ".join(line for lines in form.errors.values() for line in lines)
