"""Pages and data of the works side."""

from django.urls import path

from projects.views import acceptance as acceptance_pages
from projects.views import archives as archive_pages
from projects.views import autosave, board, check, dispatch, paste, problems, projects, review, scurve, wall, wall_cards, weeks, works
from projects.views import funds as fund_pages
from projects.views import inspections as inspection_pages
from projects.views import permits as permit_pages
from projects.views import photos as photo_pages
from projects.views import targets as target_pages
from projects.views import visits as visit_pages

urlpatterns = [
    path("projects/", projects.ProjectsView.as_view(), name="projects"),
    path("projects/scurve/", scurve.scurve, name="scurve"),
    path("projects/scurve/accuracy/", scurve.accuracy, name="scurve_accuracy"),
    path("projects/<str:code>/", projects.project, name="project"),
    path("projects/<str:code>/revise/", projects.revise, name="project_revise"),
    path("projects/<str:code>/stage/", projects.record_stage, name="project_stage"),
    path("projects/<str:code>/stage/<int:pk>/withdraw/", projects.withdraw_stage, name="project_stage_withdraw"),
    path("projects/<str:code>/permits/", permit_pages.project_permits, name="project_permits"),
    path("projects/<str:code>/photos/", photo_pages.project_photos, name="project_photos"),
    path("photos/<int:pk>/", photo_pages.photo, name="photo"),
    path("photos/<int:pk>/small/", photo_pages.thumb, name="photo_thumb"),
    path("photos/<int:pk>/describe/", photo_pages.describe, name="photo_describe"),
    path("photos/<int:pk>/withdraw/", photo_pages.withdraw, name="photo_withdraw"),
    path("projects/<str:code>/funds/", fund_pages.project_funds, name="project_funds"),
    path("funds/", fund_pages.overview, name="funds"),
    path("permits/", permit_pages.overview, name="permits"),
    path("permits/<int:pk>/", permit_pages.permit, name="permit"),
    path("dispatch/", dispatch.dispatch, name="dispatch"),
    path("dispatch/accept/", dispatch.accept_all, name="dispatch_accept_all"),
    path("dispatch/weeks/", weeks.week_list, name="dispatch_weeks"),
    path("dispatch/policy/", weeks.thresholds, name="dispatch_policy"),
    path("dispatch/plans/", weeks.plans, name="dispatch_plans"),
    path("dispatch/change/", review.change, name="week_change"),
    path("dispatch/odd/", review.odd, name="anomalies"),
    path("dispatch/board/", board.board_page, name="board"),
    path("dispatch/board/review/", board.board_review, name="board_review"),
    path("dispatch/board/remind/", board.board_remind, name="board_remind"),
    path("dispatch/paste/", paste.read_paste, name="dispatch_paste"),
    path("dispatch/<str:code>/", dispatch.dispatch_project, name="dispatch_project"),
    path("dispatch/<str:code>/autosave/", autosave.autosave, name="dispatch_autosave"),
    path("dispatch/<str:code>/check/", check.check_dispatch, name="dispatch_check"),
    path("dispatch/<str:code>/<int:pk>/review/", dispatch.review, name="dispatch_review"),
    path("problems/", problems.problems, name="problems"),
    path("problems/new/", problems.problem_new, name="problem_new"),
    path("problems/<str:code>/", problems.problem, name="problem"),
    path("problems/<str:code>/act/", problems.problem_act, name="problem_act"),
    path("problems/<str:code>/edit/", problems.problem_edit, name="problem_edit"),
    path("problems/<str:code>/note/", problems.problem_note, name="problem_note"),
    path("problems/<str:code>/files/", problems.problem_files, name="problem_files"),
    path("problems/<str:code>/files/<int:pk>/withdraw/", problems.problem_file_withdraw, name="problem_file_withdraw"),
    path("inspections/", visit_pages.visit_list, name="inspections"),
    path("inspections/route/", visit_pages.route, name="inspection_route"),
    path("inspections/<int:pk>/site/", visit_pages.site, name="inspection_site"),
    *inspection_pages.inspection_pages.urls("inspections/"),
    path("inspections/<int:pk>/findings/", inspection_pages.inspection_finding, name="inspection_finding"),
    path("inspections/<int:pk>/findings/<int:finding>/", inspection_pages.inspection_finding_act, name="inspection_finding_act"),
    path("projects/<str:code>/acceptance/", acceptance_pages.acceptance, name="acceptance"),
    path("projects/<str:code>/acceptance/withdraw/", acceptance_pages.withdraw, name="acceptance_withdraw"),
    path("projects/<str:code>/archives/", archive_pages.archives, name="archives"),
    path("archives/catalogue/", archive_pages.catalogue, name="archive_catalogue"),
    path("projects/<str:code>/targets/", target_pages.project_targets, name="targets"),
    *[address for prefix, pages in target_pages.PAGES for address in pages.urls(prefix)],
    path("attachments/<int:pk>/", problems.attachment, name="attachment"),
    path("sections/<int:pk>/works/", works.section_works, name="section_works"),
    path("wall/find/", wall_cards.finder, name="wall_find"),
    path("wall/projects/<str:code>/", wall_cards.project, name="wall_project"),
    path("wall/projects/<str:code>/turn/", wall_cards.turn, name="wall_turn"),
    path("wall/projects/<str:code>/turn/<int:pk>/withdraw/", wall_cards.turn_back, name="wall_turn_back"),
    path("wall/sections/<int:pk>/", wall_cards.section, name="wall_section"),
    path("wall/", wall.wall_page, name="wall"),
    path("wall/outlines.json", wall.outlines_json, name="wall_outlines"),
    path("wall/density.png", wall.density_png, name="wall_density"),
    path("api/wall.json", wall.wall_json, name="wall_json"),
    path("api/wall.csv", wall.wall_csv, name="wall_csv"),
    path("api/wall/county.json", wall.county_json, name="wall_county"),
    path("api/projects.geojson", wall.projects_geojson, name="projects_geojson"),
    path("api/sections.geojson", wall.sections_geojson, name="sections_geojson"),
    path("api/counties.geojson", wall.counties_geojson, name="counties_geojson"),
]
