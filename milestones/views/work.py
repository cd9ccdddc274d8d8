"""The work inside a milestone: tasks, what is told of them and its review, time, evidence, talk. All of it stands on its page."""
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.rules import find, rule
from clinic.audit.looks import Kind
from clinic.db.refusals import Refused
from clinic.documents import as_it_came, file_name
from clinic.files.uploads import takes_files
from clinic.views.patients import patient_context
from clinic.web.asked import key
from clinic.web.conflicts import save_form
from clinic.web.once import once
from milestones.looks import find_evidence, find_milestone, find_task, find_update
from milestones.models import Comment, Task
from milestones.views.milestones import opened_page
from milestones.work_forms import (
    CommentForm,
    EvidenceForm,
    OfferForm,
    ReviewForm,
    TaskForm,
    TimeForm,
    UpdateForm,
    WhyForm,
    said,
    told,
)

TASK_STEPS = {"cancel": "cancelled", "reopen": "open again", "withdraw": "taken out"}


def _answer(request, milestone, form, verb, done):
    """Take the form's verb, say that it is done, and show the milestone again; what is refused comes back with what was typed."""
    if form.is_valid():
        try:
            verb()
        except (ValidationError, Refused) as error:
            told(form, error, **form.names)
        else:
            messages.success(request, done)
            return redirect(_page_of(milestone))
    return opened_page(request, milestone, refused=said(form), forms={form.name: form})


@rule("milestone.update")
@require_POST
@once
def task_new(request, milestone_id):
    """Put a task into a milestone."""
    found = find_milestone(request, milestone_id)
    form = TaskForm(request.POST, instance=Task(milestone=found, clinic=request.actor.clinic), actor=request.actor)
    return _answer(request, found, form, form.add, "The task is added.")


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
        except (ValidationError, Refused) as error:
            told(form, error)
    return render(request, "milestones/task_form.html", {**context, "form": form}, status=422 if form.is_bound else 200)


@rule("milestone.update")
@require_POST
@once
def task_step(request, task_id, step_name):
    """Cancel a task, open it again, or take it out."""
    found = find_task(request, task_id)
    if step_name not in TASK_STEPS:
        raise Http404
    form = WhyForm(found, request.POST, actor=request.actor, verb=step_name)
    return _answer(request, found.milestone, form, form.act, f"The task is {TASK_STEPS[step_name]}.")


@rule("milestone.work")
@require_POST
@once
def update_new(request, task_id):
    """Tell how a task goes, and approve it with the same press (`approve`)."""
    found = find_task(request, task_id)
    form = UpdateForm(found, request.POST, actor=request.actor)
    done = "Written down and approved." if "approve" in request.POST else "Written down. It waits for review."
    return _answer(request, found.milestone, form, form.tell, done)


@rule("treatment.write_plan")
@require_POST
@once
def update_review(request, update_id):
    """Approve what was told of a task, or send it back."""
    found = find_update(request, update_id)
    form = ReviewForm(found, request.POST, actor=request.actor)
    done = "The update is approved." if request.POST.get("decision") == "approved" else "The update is sent back."
    return _answer(request, found.milestone, form, form.review, done)


@rule("milestone.work")
@require_POST
@once
def time_new(request, task_id):
    """Write down time on a task."""
    found = find_task(request, task_id)
    form = TimeForm(found, request.POST, actor=request.actor)
    return _answer(request, found.milestone, form, form.log, "The time is written down.")


@rule("milestone.update")
@require_POST
@takes_files
@once
def evidence_new(request, milestone_id):
    """Add evidence: a file, a figure, or an address."""
    found = find_milestone(request, milestone_id)
    form = EvidenceForm(found, request.POST, request.FILES, actor=request.actor)
    return _answer(request, found, form, form.add, "The evidence is added.")


@rule("milestone.update")
@require_POST
@once
def evidence_confirm(request, milestone_id):
    """Take what the record offers as evidence."""
    found = find_milestone(request, milestone_id)
    form = OfferForm(found, request.POST, actor=request.actor)
    return _answer(request, found, form, form.take, "Taken as evidence.")


@rule("milestone.update")
@require_POST
@once
def evidence_withdraw(request, evidence_id):
    """Take evidence out, with a reason."""
    found = find_evidence(request, evidence_id)
    form = WhyForm(found, request.POST, actor=request.actor)
    return _answer(request, found.milestone, form, form.act, "The evidence is taken out.")


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
    """Write about a milestone, or answer what somebody wrote (`parent`); `@Name` tells that colleague."""
    found, parent = find_milestone(request, milestone_id), request.POST.get("parent")
    if parent:
        parent = find(Comment.objects.filter(milestone=found), request.actor, pk=key(parent))
    form = CommentForm(found, request.POST, actor=request.actor, parent=parent or None)
    return _answer(request, found, form, form.write, "Written.")


def _page_of(milestone):
    return f"{reverse('milestones:milestone', args=[milestone.pk])}#milestone"
