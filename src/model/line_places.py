#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write line_places.inc: the continents, countries and subdivisions of the line tree.

usage: line_places.py > line_places.inc     (needs Debian's iso-codes; run by hand, result committed)

The table is committed and not made by each build, since its codes stand in people's configurations:
they may not come and go with the version of a package. Names are from iso-codes (LGPL-2.1+); which
continent a country is on, and China's regions, are said here.
"""

import gettext
import json
import pathlib

ISO = pathlib.Path('/usr/share/iso-codes/json')
CATALOGUES = pathlib.Path('/usr/share/locale/zh_CN/LC_MESSAGES')

CONTINENTS = {  # code: (English, Chinese, alias stems, countries)
    'asia': ('Asia', '亚洲', 'asia', '''
        ae af am az bd bh bn bt cn cy ge hk id il in iq ir jo jp kg kh kp kr kw kz la lb lk mm mn mo
        mv my np om ph pk ps qa sa sg sy th tj tl tm tr tw uz vn ye'''),
    'europe': ('Europe', '欧洲', 'europe euro', '''
        ad al at ax ba be bg by ch cz de dk ee es fi fo fr gb gg gi gr hr hu ie im is it je li lt lu
        lv mc md me mk mt nl no pl pt ro rs ru se si sj sk sm ua va xk'''),
    'africa': ('Africa', '非洲', 'africa', '''
        ao bf bi bj bw cd cf cg ci cm cv dj dz eg eh er et ga gh gm gn gq gw io ke km lr ls ly ma mg
        ml mr mu mw mz na ne ng re rw sc sd sh sl sn so ss st sz td tf tg tn tz ug yt za zm zw'''),
    'north_america': ('North America', '北美洲', 'namerica', '''
        ag ai aw bb bl bm bq bs bz ca cr cu cw dm do gd gl gp gt hn ht jm kn ky lc mf mq ms mx ni pa
        pm pr sv sx tc tt us vc vg vi'''),
    'south_america': ('South America', '南美洲', 'samerica',
                      'ar bo br cl co ec fk gf gy pe py sr uy ve'),
    'oceania': ('Oceania', '大洋洲', 'oceania oceanica', '''
        as au cc ck cx fj fm gu ki mh mp nc nf nr nu nz pf pg pn pw sb tk to tv um vu wf ws'''),
    'antarctica': ('Antarctica', '南极洲', 'antarctica', 'aq bv gs hm'),
}

COMMON = {  # where the formal name is not what people look for
    'cn': ('China', '中国'), 'hk': ('Hong Kong', '中国香港'), 'mo': ('Macao', '中国澳门'),
    'tw': ('Taiwan', '中国台湾'), 'xk': ('Kosovo', '科索沃'),
}

REGIONS = {  # of China: code: (English, Chinese, provinces)
    'cn_north': ('North China', '华北', 'bj tj he sx nm'),
    'cn_northeast': ('Northeast China', '东北', 'ln jl hl'),
    'cn_east': ('East China', '华东', 'sh js zj ah fj jx sd'),
    'cn_central': ('Central China', '华中', 'ha hb hn'),
    'cn_south': ('South China', '华南', 'gd gx hi'),
    'cn_southwest': ('Southwest China', '西南', 'cq sc gz yn xz'),
    'cn_northwest': ('Northwest China', '西北', 'sn gs qh nx xj'),
}

PROVINCES = {  # of China: code: (English, Chinese, the stem in Alibaba's codes)
    'bj': ('Beijing', '北京', 'beijing'), 'tj': ('Tianjin', '天津', 'tianjin'),
    'he': ('Hebei', '河北', 'hebei'), 'sx': ('Shanxi', '山西', 'shanxi'),
    'nm': ('Inner Mongolia', '内蒙古', 'neimenggu'), 'ln': ('Liaoning', '辽宁', 'liaoning'),
    'jl': ('Jilin', '吉林', 'jilin'), 'hl': ('Heilongjiang', '黑龙江', 'heilongjiang'),
    'sh': ('Shanghai', '上海', 'shanghai'), 'js': ('Jiangsu', '江苏', 'jiangsu'),
    'zj': ('Zhejiang', '浙江', 'zhejiang'), 'ah': ('Anhui', '安徽', 'anhui'),
    'fj': ('Fujian', '福建', 'fujian'), 'jx': ('Jiangxi', '江西', 'jiangxi'),
    'sd': ('Shandong', '山东', 'shandong'), 'ha': ('Henan', '河南', 'henan'),
    'hb': ('Hubei', '湖北', 'hubei'), 'hn': ('Hunan', '湖南', 'hunan'),
    'gd': ('Guangdong', '广东', 'guangdong'), 'gx': ('Guangxi', '广西', 'guangxi'),
    'hi': ('Hainan', '海南', 'hainan'), 'cq': ('Chongqing', '重庆', 'chongqing'),
    'sc': ('Sichuan', '四川', 'sichuan'), 'gz': ('Guizhou', '贵州', 'guizhou'),
    'yn': ('Yunnan', '云南', 'yunnan'), 'xz': ('Tibet', '西藏', 'xizang'),
    'sn': ('Shaanxi', '陕西', 'shaanxi'), 'gs': ('Gansu', '甘肃', 'gansu'),
    'qh': ('Qinghai', '青海', 'qinghai'), 'nx': ('Ningxia', '宁夏', 'ningxia'),
    'xj': ('Xinjiang', '新疆', 'xinjiang'),
}


def load(part):
    with open(CATALOGUES / f'iso_{part}.mo', 'rb') as catalogue:
        translate = gettext.GNUTranslations(catalogue).gettext
    with open(ISO / f'iso_{part}.json', encoding='utf-8') as table:
        return json.load(table)[part], translate


def row(kind, code, parent, en, zh, aliases=''):
    for text in (code, parent, en, zh, aliases):
        assert '"' not in text and '\\' not in text, text
    print(f'PLACE({kind}, "{code}", "{parent}", "{en}", "{zh}", "{aliases}")')


def print_continents():
    for code, (en, zh, stems, _) in CONTINENTS.items():
        row('CONTINENT', code, 'default', en, zh, ' '.join('os_' + stem for stem in stems.split()))


def aliases_of(country, stems):
    """Alibaba's os_<continent>_<country>; "internal" is its word for the Chinese mainland."""
    if country == 'cn':
        return 'internal'
    names = [f'os_{stem}_{country}' for stem in stems.split()]
    return ' '.join(names + [f'cn_{country}'] * (country in ('hk', 'mo', 'tw')))


def print_countries():
    table, translate = load('3166-1')
    names = {}
    for entry in table:
        en = entry.get('common_name', entry['name'])
        names[entry['alpha_2'].lower()] = (en, translate(en))
    names.update(COMMON)
    placed = {c: (code, place[2]) for code, place in CONTINENTS.items() for c in place[3].split()}
    assert set(placed) == set(names), set(placed) ^ set(names)
    for code, (en, zh) in sorted(names.items()):
        continent, stems = placed[code]
        row('COUNTRY', code, continent, en, zh, aliases_of(code, stems))


def print_china():
    for code, (en, zh, provinces) in REGIONS.items():
        row('REGION', code, 'cn', en, zh)
        for province in provinces.split():
            en, zh, stem = PROVINCES[province]
            row('PROVINCE', f'cn_{province}', code, en, zh, f'cn_{stem}')
    placed = [p for _, _, provinces in REGIONS.values() for p in provinces.split()]
    assert sorted(placed) == sorted(PROVINCES)


def print_subdivisions():
    table, translate = load('3166-2')
    for entry in sorted(table, key=lambda e: ('parent' in e, e['code'])):
        country, part = entry['code'].lower().split('-')
        if country == 'cn':
            continue
        above = entry.get('parent', '').lower().split('-')[-1]
        en = entry['name'].replace('"', "'")
        zh = translate(entry['name']).replace('"', "'")
        row('PROVINCE', f'{country}_{part}', f'{country}_{above}' if above else country, en, zh)


if __name__ == '__main__':
    print('/* SPDX-License-Identifier: GPL-3.0-or-later */')
    print('/* Written by line_places.py from iso-codes 4.15.0 (ISO 3166, LGPL-2.1+): '
          'do not edit. */')
    print_continents()
    print_countries()
    print_china()
    print_subdivisions()
