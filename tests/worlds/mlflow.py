"""A migrated MLflow store to copy: making one takes ten seconds."""

from features.files import locked, replacing


def migrated(folder):
    """The file of an empty store in ``folder``, made by whichever process comes first."""
    store = folder / "mlflow-template.db"
    with locked(folder / ".mlflow-template.lock"):
        if not store.exists():
            _migrate(store)
    return store


def _migrate(store):
    from mlflow import MlflowClient

    with replacing(store) as draft:
        uri = f"sqlite:///{draft}"
        MlflowClient(tracking_uri=uri, registry_uri=uri).search_registered_models()
