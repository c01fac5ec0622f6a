from django.http import Http404


def sections(request):
    raise Http404
