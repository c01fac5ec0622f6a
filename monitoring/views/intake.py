from django.http import Http404


def intake(request):
    raise Http404
