import pytest

from linfen_water.pinyin import spelled

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        pytest.param("翼城县", "yichengxian ycx", id="拼音和首字母"),
        pytest.param("隰县", "xixian xx", id="两字"),
        pytest.param("LF-001 汾河（一期）", "lf001fenheyiqi lf001fhyq", id="字母数字照写，符号和空格不算"),
        pytest.param("绿色", "lvse ls", id="ü写作v"),
        pytest.param("洪洞县", "hongdongxian hdx hongtongxian htx", id="地名两种读法都能找到"),
        pytest.param("", "", id="空"),
        pytest.param("——", "", id="只有符号"),
    ],
)
def test_spelled_is_what_a_person_types(text, spelling):
    assert spelled(text) == spelling
