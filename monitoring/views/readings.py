from django.http import Http404


def readings(request):
    raise Http404
