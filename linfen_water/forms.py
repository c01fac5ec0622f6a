"""What the office types about accounts and about the channels of reminders."""

from django import forms
from django.contrib.auth.forms import PasswordChangeForm

from linfen_water import accounts, channels
from linfen_water.enums import ChannelKind
from linfen_water.models import Channel, Unit, User


class OwnPasswordForm(PasswordChangeForm):
    """A password of one's own: another one than the old."""

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("new_password1") and cleaned["new_password1"] == cleaned.get("old_password"):
            self.add_error("new_password1", "新密码不能与旧密码相同。")
        return cleaned


class AccountForm(forms.ModelForm):
    """A new account; its password is made, never typed."""

    class Meta:
        model = User
        fields = ["username", "role", "unit", "post"]
        labels = {"username": "用户名"}
        help_texts = {"username": "字母、数字或 @ . + - _，登录时使用", "post": "岗位，例如 填报员、科长；页面上代替姓名显示"}
        error_messages = {
            "username": {"required": "请填写用户名。", "unique": "这个用户名已有人使用。", "invalid": "只能用字母、数字和 @ . + - _。"},
            "role": {"required": "请选择角色。"},
        }

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("role") and (fault := accounts.unit_fault(cleaned["role"], cleaned.get("unit"))):
            self.add_error("unit", fault)
        return cleaned


class KioskForm(forms.Form):
    """A new screen on a wall."""

    name = forms.CharField(label="屏幕", max_length=40, error_messages={"required": "请填写屏幕名称或位置，例如 三楼会议室。"})


class ChannelForm(forms.Form):
    """A channel of reminders. Its address and key are never shown again: what is left empty stays as it is."""

    name = forms.CharField(label="名称", max_length=40, error_messages={"required": "请填写名称，例如 县区调度群。"})
    kind = forms.ChoiceField(label="方式", choices=ChannelKind.choices, error_messages={"required": "请选择方式。"})
    unit = forms.ModelChoiceField(
        label="用于",
        queryset=Unit.objects.all(),
        required=False,
        empty_label="全部单位（发整份催报清单）",
        help_text="选定单位的，只发该单位未报的项目",
    )
    address = forms.CharField(label="地址", max_length=500, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    secret = forms.CharField(
        label="加签密钥",
        max_length=200,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="只有钉钉机器人选了“加签”才填，以 SEC 开头",
    )
    forget_secret = forms.BooleanField(label="不再加签（清除密钥）", required=False)

    def __init__(self, channel: Channel, *args, **kwargs):
        self.channel = channel
        if channel.pk:
            kwargs["initial"] = {"name": channel.name, "kind": channel.kind, "unit": channel.unit_id}
        super().__init__(*args, **kwargs)
        self.fields["address"].help_text = (
            f"现为 {channels.masked(channel)}，留空不变" if channel.pk else "机器人的 Webhook 地址，或邮箱地址；保存后不再完整显示"
        )
        if not channel.secret:
            del self.fields["forget_secret"]

    def clean(self):
        cleaned = super().clean()
        address = cleaned.get("address") or self.channel.address
        if not address:
            self.add_error("address", "请填写地址。")
        elif cleaned.get("kind") and (fault := channels.address_fault(cleaned["kind"], address)):
            self.add_error("address", fault)
        return cleaned

    @property
    def values(self) -> dict:
        data = self.cleaned_data
        secret = None if data.get("forget_secret") else data["secret"]
        return {"name": data["name"], "kind": data["kind"], "unit": data["unit"], "address": data["address"], "secret": secret}
