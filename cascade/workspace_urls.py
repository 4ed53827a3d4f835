"""Addresses of the workspace, where distributors decide, adapt, send and follow up."""

from __future__ import annotations

from django.urls import URLPattern, path

from cascade.views import (
    workspace,
    workspace_adapt,
    workspace_audience,
    workspace_results,
    workspace_send,
    workspace_start,
)

urlpatterns: list[URLPattern] = [
    path("", workspace.InboxView.as_view(), name="workspace_inbox"),
    path("start/", workspace_start.StartView.as_view(), name="workspace_start"),
    path("<int:pk>/", workspace.HopHomeView.as_view(), name="workspace_hop"),
    path("<int:pk>/accept/", workspace.AcceptView.as_view(), name="workspace_accept"),
    path("<int:pk>/decline/", workspace.DeclineView.as_view(), name="workspace_decline"),
    path("<int:pk>/withdraw/", workspace.WithdrawView.as_view(), name="workspace_withdraw"),
    path("<int:pk>/adapt/", workspace_adapt.AdaptView.as_view(), name="workspace_adapt"),
    path("<int:pk>/adapt/zone/", workspace_adapt.ZoneView.as_view(), name="workspace_zone"),
    path("<int:pk>/adapt/reset/", workspace_adapt.ResetView.as_view(), name="workspace_reset"),
    path("<int:pk>/adapt/resolve/", workspace_adapt.ResolveView.as_view(), name="workspace_resolve"),
    path("<int:pk>/preview/<str:view>/", workspace_adapt.PreviewView.as_view(), name="workspace_preview"),
    path("<int:pk>/audience/", workspace_audience.AudienceView.as_view(), name="workspace_audience"),
    path("<int:pk>/audience/resellers/", workspace_audience.ResellerSearchView.as_view(), name="workspace_pick"),
    path("<int:pk>/audience/people/", workspace_audience.PeopleView.as_view(), name="workspace_people"),
    path("<int:pk>/send/", workspace_send.SendView.as_view(), name="workspace_send"),
    path("<int:pk>/send/test/", workspace_send.TestView.as_view(), name="workspace_test"),
    path("<int:pk>/waves/<int:wave>/undo/", workspace_send.UndoView.as_view(), name="workspace_undo"),
    path("<int:pk>/waves/<int:wave>/pause/", workspace_send.PauseView.as_view(), name="workspace_pause"),
    path("<int:pk>/waves/<int:wave>/resume/", workspace_send.ResumeView.as_view(), name="workspace_resume"),
    path("<int:pk>/waves/<int:wave>/cancel/", workspace_send.CancelView.as_view(), name="workspace_cancel"),
    path("<int:pk>/waves/<int:wave>/time/", workspace_send.RescheduleView.as_view(), name="workspace_reschedule"),
    path("<int:pk>/results/", workspace_results.ResultsView.as_view(), name="workspace_results"),
    path("<int:pk>/results/live/", workspace_results.LiveView.as_view(), name="workspace_live"),
    path("<int:pk>/results/resellers/", workspace_results.ResellersView.as_view(), name="workspace_resellers"),
    path("<int:pk>/results/people/", workspace_results.PersonsView.as_view(), name="workspace_persons"),
    path("<int:pk>/results/people/<int:delivery>/", workspace_results.PersonView.as_view(), name="workspace_person"),
    path("<int:pk>/results/unconfirmed/", workspace_results.UnconfirmedView.as_view(), name="workspace_unconfirmed"),
    path("<int:pk>/results/remind/", workspace_results.RemindView.as_view(), name="workspace_remind"),
    path("<int:pk>/results/newcomers/", workspace_results.NewcomersView.as_view(), name="workspace_newcomers"),
]
