from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):
    """Static files under names that carry their content, with the imports between modules rewritten too."""

    support_js_module_import_aggregation = True
