"""Files that are sent to us: counted while they come in, kept in unnamed files that end with the request, and examined
before the transaction of `@once` begins, because a look into a file may take seconds and SQLite has one writer.
"""
from functools import wraps

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopFutureHandlers

from clinic.files.examine import MOST_BYTES, examine_file, shown_name, unfit, unnamed_file

MOST_TOGETHER = 100 * 1024 * 1024


class Upload(UploadedFile):
    """A file as it came. What it is was asked once, however often it is needed."""

    found = None

    def examined(self):
        """Examined; or Unfit, each time the same."""
        if self.found is None:
            try:
                if self.size > MOST_BYTES:
                    raise unfit(shown_name(self.name), "large")
                self.found = examine_file(self.file, shown_name(self.name))
            except ValidationError as refused:
                self.found = refused
        if isinstance(self.found, ValidationError):
            raise self.found
        return self.found


class UploadHandler(FileUploadHandler):
    """Takes files of a request; much only where a view says `@takes_files` and somebody is signed in."""

    chunk_size = 256 * 1024

    def handle_raw_input(self, input_data, META, content_length, boundary, encoding=None):
        if content_length > most_bytes(self.request):
            raise RequestDataTooBig("More is sent than this address takes.")

    def new_file(self, *args, **kwargs):
        super().new_file(*args, **kwargs)
        self.file, self.kept = unnamed_file(), 0
        raise StopFutureHandlers

    def receive_data_chunk(self, raw_data, start):
        if self.kept <= MOST_BYTES:  # of one that is too large no more than its size is needed
            self.file.write(raw_data)
            self.kept += len(raw_data)

    def file_complete(self, file_size):
        self.file.seek(0)
        return Upload(self.file, self.file_name, self.content_type, file_size, self.charset, self.content_type_extra)


def most_bytes(request):
    """How much this request may bring: a page's worth, or where files are taken and somebody is signed in, far more."""
    view = getattr(request.resolver_match, "func", None)
    takes = getattr(request, "takes_files", False) or getattr(view, "takes_files", False)
    return MOST_TOGETHER if takes and getattr(request, "actor", None) else settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def examine_all(request):
    """Look into every file that came; a refusal stays with its file, for whoever asks for it."""
    for _, uploads in request.FILES.lists():
        for upload in uploads:
            try:
                upload.examined()
            except ValidationError:
                continue


def takes_files(view):
    """For a view that takes files: above `@once`, below `@rule`."""
    @wraps(view)
    def taking(request, *args, **kwargs):
        if request.method == "POST":
            examine_all(request)
        return view(request, *args, **kwargs)
    taking.takes_files = True
    return taking


def takes_files_or_json(view):
    """For an endpoint whose body is JSON, or the same as fields of a form when a file comes with it, as `file`."""
    view = takes_files(view)
    view.takes_json = True
    return view
