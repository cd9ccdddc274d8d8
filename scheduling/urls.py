from django.urls import path

from scheduling.views import blocks, booking, schedule, today, visits

app_name = "scheduling"
urlpatterns = [
    path("today/", today.today, name="today"),
    path("today/board/", today.today_board, name="today_board"),
    path("schedule/", schedule.schedule, name="schedule"),
    path("schedule/week/", schedule.week, name="week"),
    path("visits/book/", booking.book, name="book"),
    path("visits/next-free/", booking.next_free, name="next_free"),
    path("visits/walk-in/", booking.walk_in, name="walk_in"),
    path("visits/<uuid:visit_id>/", visits.visit, name="visit"),
    path("visits/<uuid:visit_id>/move/", booking.move, name="move"),
    path("visits/<uuid:visit_id>/drop/", booking.drop, name="drop"),
    path("visits/<uuid:visit_id>/confirm/", visits.confirm, name="confirm"),
    path("visits/<uuid:visit_id>/check-in/", visits.check_in, name="check_in"),
    path("visits/<uuid:visit_id>/seat/", visits.seat, name="seat"),
    path("visits/<uuid:visit_id>/complete/", visits.complete, name="complete"),
    path("visits/<uuid:visit_id>/exit/", visits.exit_card, name="exit_card"),
    path("visits/<uuid:visit_id>/check-out/", visits.check_out, name="check_out"),
    path("visits/<uuid:visit_id>/cancel/", visits.cancel, name="cancel"),
    path("visits/<uuid:visit_id>/no-show/", visits.no_show, name="no_show"),
    path("visits/<uuid:visit_id>/reactivate/", visits.reactivate, name="reactivate"),
    path("visits/<uuid:visit_id>/step-back/", visits.step_back, name="step_back"),
    path("blocks/new/", blocks.block_new, name="block_new"),
    path("blocks/<uuid:block_id>/", blocks.block, name="block"),
    path("blocks/<uuid:block_id>/withdraw/", blocks.block_withdraw, name="block_withdraw"),
]
