from charting.models.addendum import Addendum
from charting.models.chart_settings import ChartSettings
from charting.models.draft import Draft
from charting.models.finding import Finding
from charting.models.finding_kind import FindingKind
from charting.models.note import ClinicalNote
from charting.models.note_template import NoteTemplate
from charting.models.perio_exam import PerioExam
from charting.models.perio_path import PerioPath
from charting.models.perio_tooth import PerioTooth

__all__ = [
    "Addendum", "ChartSettings", "ClinicalNote", "Draft", "Finding", "FindingKind", "NoteTemplate", "PerioExam", "PerioPath",
    "PerioTooth"]
