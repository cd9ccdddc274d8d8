from django.urls import path

from charting.views import chart, note_writing, notes, perio, perio_entry

app_name = "charting"
urlpatterns = [
    path("patients/<uuid:patient_id>/chart/", chart.chart, name="chart"),
    path("patients/<uuid:patient_id>/chart/print/", chart.printed, name="chart_print"),
    path("patients/<uuid:patient_id>/chart/panel/", chart.panel, name="chart_panel"),
    path("patients/<uuid:patient_id>/chart/enter/", chart.enter, name="enter"),
    path("patients/<uuid:patient_id>/chart/preview/", chart.preview, name="preview"),
    path("patients/<uuid:patient_id>/chart/undo/", chart.undo, name="undo"),
    path("findings/<uuid:finding_id>/end/", chart.end, name="finding_end"),
    path("patients/<uuid:patient_id>/notes/", notes.notes, name="notes"),
    path("patients/<uuid:patient_id>/notes/new/", note_writing.note_new, name="note_new"),
    path("patients/<uuid:patient_id>/notes/panel/", notes.panel, name="note_panel"),
    path("patients/<uuid:patient_id>/notes/draft/", note_writing.note_draft, name="note_draft"),
    path("patients/<uuid:patient_id>/notes/draft/drop/", note_writing.note_draft_drop, name="note_draft_drop"),
    path("notes/unsigned/", notes.unsigned, name="unsigned"),
    path("notes/<uuid:note_id>/", notes.note, name="note"),
    path("notes/<uuid:note_id>/edit/", note_writing.note_edit, name="note_edit"),
    path("notes/<uuid:note_id>/sign/", note_writing.note_sign, name="note_sign"),
    path("notes/<uuid:note_id>/cosign/", note_writing.note_cosign, name="note_cosign"),
    path("notes/<uuid:note_id>/addendum/", note_writing.addendum, name="addendum"),
    path("notes/<uuid:note_id>/error/", note_writing.note_error, name="note_error"),
    path("patients/<uuid:patient_id>/perio/", perio.exams, name="perio"),
    path("patients/<uuid:patient_id>/perio/new/", perio_entry.entry, name="perio_new"),
    path("patients/<uuid:patient_id>/perio/keep/", perio_entry.keep, name="perio_keep"),
    path("patients/<uuid:patient_id>/perio/save/", perio_entry.save, name="perio_save"),
    path("patients/<uuid:patient_id>/perio/discard/", perio_entry.discard, name="perio_discard"),
    path("patients/<uuid:patient_id>/perio/panel/", perio.panel, name="perio_panel"),
    path("perio-exams/<uuid:exam_id>/", perio.exam, name="perio_exam"),
    path("perio-exams/<uuid:exam_id>/edit/", perio_entry.entry_again, name="perio_again"),
    path("perio-exams/<uuid:exam_id>/close/", perio.close, name="perio_close"),
    path("perio-exams/<uuid:exam_id>/confirm/", perio.confirm, name="perio_confirm"),
]
