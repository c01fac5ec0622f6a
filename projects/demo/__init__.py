"""The demo city: what was published holds exactly, the rest is invented from one seed and labelled 演示数据.

promise   what must hold (the pack's demo.json), and the check that it does
works     what kinds of works each domain builds
sketches  who, where, how large, from when to when
pace      planned and real progress over time
money     sources, and money over time
papers    permits and problems
troubles  how problems went: levels, notes
history   week after week
water     readings and what they amount to
accounts  who may log in
books     what is kept by hand: visits, acceptance, archives, targets, the province's figures
loading   writes it all, once
scale     many simple projects for benchmarks
"""
