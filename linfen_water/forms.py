"""What the office types about accounts."""

from django import forms
from django.contrib.auth.forms import PasswordChangeForm

from linfen_water import accounts
from linfen_water.models import User


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
