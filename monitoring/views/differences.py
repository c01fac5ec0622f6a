from django.http import Http404


def differences(request):
    raise Http404
