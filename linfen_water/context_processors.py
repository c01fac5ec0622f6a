"""What every template may use."""

from functools import partial

from linfen_water import navigation, notices


def office(request) -> dict:
    """The region, whether its data are invented, and the day that the page speaks of."""
    region = getattr(request, "region", None)
    if region is None:  # an error before the middleware ran
        return {}
    return {
        "region": region,
        "is_demo": region.is_demo,
        "as_of": request.as_of,
        "today": request.today,
        "is_past": request.as_of != request.today,
        "unread_notices": partial(notices.unread_count, request.user) if request.user.pk else 0,  # a screen reads without an account
        "navigation": navigation.navigation(request.user, request.path),
    }
