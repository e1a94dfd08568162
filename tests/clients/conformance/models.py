"""Models, and the permissions on checkpoints."""

import warnings

from check import refused
from openai import BadRequestError, NotFoundError, PermissionDeniedError


def check_models(stage):
    job = stage.succeeded()
    listed = {model.id: model for model in stage.client.models.list()}
    assert listed[stage.model].owned_by == "system" and listed[stage.model].created > 0, listed
    tuned = listed[job.fine_tuned_model]
    assert tuned.object == "model" and tuned.owned_by == job.organization_id, tuned
    assert tuned.created >= job.created_at, tuned
    assert stage.client.models.retrieve(job.fine_tuned_model) == tuned
    refused(NotFoundError, lambda: stage.client.models.retrieve("gpt-0"), code="model_not_found")
    refused(NotFoundError, lambda: stage.other.models.retrieve(job.fine_tuned_model), code="model_not_found")


def check_permissions(stage):
    job = stage.succeeded()
    name = stage.client.fine_tuning.jobs.checkpoints.list(job.id).data[0].fine_tuned_model_checkpoint
    permissions = stage.admin.fine_tuning.checkpoints.permissions
    plain = stage.client.fine_tuning.checkpoints.permissions
    for call in (
        lambda: plain.create(name, project_ids=["somebody-else"]),
        lambda: plain.list(name),
        lambda: plain.delete("cp_x", fine_tuned_model_checkpoint=name),
    ):
        refused(PermissionDeniedError, call, code="insufficient_permissions")
    refused(NotFoundError, lambda: stage.other.models.retrieve(name))
    made = permissions.create(name, project_ids=["somebody-else", "third"]).data
    assert [permission.project_id for permission in made] == ["somebody-else", "third"], made
    assert {permission.object for permission in made} == {"checkpoint.permission"}, made
    assert stage.other.models.retrieve(name).id == name, "a permission must mean something"
    listed = list(permissions.list(name, limit=1))
    assert [permission.project_id for permission in listed] == ["third", "somebody-else"], listed
    assert [p.project_id for p in permissions.list(name, order="ascending", limit=1).data] == ["somebody-else"]
    assert [p.project_id for p in permissions.list(name, project_id="third")] == ["third"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        page = permissions.retrieve(name)
    assert (page.first_id, page.last_id, page.has_more) == (made[1].id, made[0].id, False), page
    refused(BadRequestError, lambda: permissions.list(name, limit=0), param="limit")
    refused(BadRequestError, lambda: permissions.create(name, project_ids=[]), param="project_ids")
    refused(NotFoundError, lambda: permissions.create("ft:x:y::z", project_ids=["a"]))
    gone = permissions.delete(made[0].id, fine_tuned_model_checkpoint=name)
    assert (gone.id, gone.object, gone.deleted) == (made[0].id, "checkpoint.permission", True), gone
    refused(NotFoundError, lambda: permissions.delete(made[0].id, fine_tuned_model_checkpoint=name))
    refused(NotFoundError, lambda: stage.other.models.retrieve(name))


def check_removal(stage):
    job = stage.succeeded()
    refused(PermissionDeniedError, lambda: stage.client.models.delete(stage.model), code="model_not_deletable")
    refused(NotFoundError, lambda: stage.other.models.delete(job.fine_tuned_model))
    gone = stage.client.models.delete(job.fine_tuned_model)
    assert (gone.id, gone.object, gone.deleted) == (job.fine_tuned_model, "model", True), gone
    refused(NotFoundError, lambda: stage.client.models.delete(job.fine_tuned_model), code="model_not_found")
    assert job.fine_tuned_model not in [model.id for model in stage.client.models.list()]
    assert stage.client.fine_tuning.jobs.retrieve(job.id).fine_tuned_model == job.fine_tuned_model
