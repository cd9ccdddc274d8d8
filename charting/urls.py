from django.urls import path

from charting.views import chart

app_name = "charting"
urlpatterns = [
    path("patients/<uuid:patient_id>/chart/", chart.chart, name="chart"),
    path("patients/<uuid:patient_id>/chart/print/", chart.printed, name="chart_print"),
    path("patients/<uuid:patient_id>/chart/panel/", chart.panel, name="chart_panel"),
    path("patients/<uuid:patient_id>/chart/enter/", chart.enter, name="enter"),
    path("patients/<uuid:patient_id>/chart/preview/", chart.preview, name="preview"),
    path("patients/<uuid:patient_id>/chart/undo/", chart.undo, name="undo"),
    path("findings/<uuid:finding_id>/end/", chart.end, name="finding_end"),
]
