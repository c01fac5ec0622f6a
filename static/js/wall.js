/* The wall's page: reads the data document, draws, listens. State lives in `state`; the address carries it. */
"use strict"

window.wall = (() => {
  const POLL = 30000 // ms, ± a fifth, so that many walls do not ask at once
  const STEP = 170 // ms a week while playing
  const SETTLE = 400 // ms after the last step the board is sorted anew: columns that jump under a moving slider cannot be followed
  const MOST_ROWS = 400
  const PLOT = { staticPlot: true, displayModeBar: false, showSendToCloud: false, responsive: false }
  const { STAGE_WORDS, ROMAN } = wallDerive
  const figuresByTheme = JSON.parse(document.getElementById("figures").textContent)
  const body = document.body
  const one = (selector) => document.querySelector(selector)
  const all = (selector) => [...document.querySelectorAll(selector)]
  const asked = new URLSearchParams(location.search)
  const phoneSheet = one("[data-phone]"), phone = matchMedia(phoneSheet.media)

  const state = {
    doc: null, etag: null, outlines: null, week: null, county: asked.get("county") ?? "", domain: "", focus: asked.get("focus") ?? "",
    tab: asked.get("tab") ?? "2", colour: asked.get("colour") ?? "", card: asked.get("card") ?? "",
    counts: null, isPlaying: false, checkedAt: null, fault: "", order: null, rem: 10, steppedAt: 0,
  }
  let screenTheme = null // of the screen while the page is laid out for paper
  const drawn = {} // what is on screen now: per plot, what it was drawn from and the items a pointer can find
  const told = new Map() // what each part of the page says, so that nothing is written twice

  const isPhone = () => phone.matches && screenTheme === null // a sheet of paper has room for the whole wall
  const figures = () => figuresByTheme[document.documentElement.dataset.theme]
  const isLive = () => state.week === null || state.week === state.doc?.week

  // ── data ──────────────────────────────────────────────────────────────────────────────────────────────────────────
  /** Ask once whether anything changed; draw when it did. Never throws: what went wrong is said on the page. */
  async function refresh() {
    try {
      const address = new URL(body.dataset.address, location.href)
      if (asked.get("as_of")) address.searchParams.set("as_of", asked.get("as_of"))
      const headers = state.etag ? { "If-None-Match": state.etag } : {}
      const response = await fetch(address, { headers, cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(20000) })
      if (response.status === 200) take(await response.json(), response.headers.get("ETag"))
      else if (response.type === "opaqueredirect") throw new Error(body.dataset.kiosk === "0" ? "登录已过期" : "登录已过期，或本屏幕的登记已撤销")
      else if (response.status !== 304) throw new Error(`服务器回应 ${response.status}`)
      state.checkedAt = Date.now()
      state.fault = ""
    } catch (fault) {
      state.fault = fault instanceof TypeError || fault.name === "TimeoutError" ? "连不上服务器" : fault.message
    }
    showFreshness()
  }

  function take(doc, etag) {
    const follows = isLive()
    state.doc = wallDensity.taken(doc)
    state.etag = etag
    state.order = null
    if (follows || !(state.week >= 0 && state.week <= doc.last_week)) state.week = doc.week
    if (asked.get("date")) { // the day of an address that was sent
      state.week = wallDerive.weekOf(doc, asked.get("date")) ?? doc.week
      asked.delete("date")
    }
    if (!doc.counties.name.includes(state.county)) state.county = ""
    const slider = one("[data-slider]")
    slider.max = doc.last_week
    slider.style.setProperty("--known", `${(100 * doc.week) / Math.max(doc.last_week, 1)}%`)
    one("[data-empty]").hidden = doc.totals.count > 0
    draw()
    document.dispatchEvent(new CustomEvent("wall:data"))
  }

  async function poll() {
    await refresh()
    setTimeout(poll, POLL * (0.8 + 0.4 * Math.random()))
  }

  /** Honest about its age: what is on screen may be old, and then it says how old. */
  function showFreshness() {
    const box = one("[data-fresh]"), text = one("[data-fresh-text]")
    const minutes = state.checkedAt ? Math.floor((Date.now() - state.checkedAt) / 60000) : null
    const isStale = Boolean(state.fault) || minutes >= 2
    box.classList.toggle("is-live", !isStale && state.checkedAt !== null)
    box.classList.toggle("is-stale", isStale)
    body.classList.toggle("is-stale", isStale)
    const clock = state.checkedAt && new Date(state.checkedAt).toTimeString().slice(0, 5)
    const words = isStale
      ? `数据未刷新 · ${minutes === null ? "尚未读到" : minutes < 1 ? "不到 1 分钟" : `已 ${minutes} 分钟`}${state.fault ? ` · ${state.fault}` : ""}`
      : `在线 · ${clock} 已刷新`
    if (text.textContent !== words) text.textContent = words
  }

  // ── drawing ───────────────────────────────────────────────────────────────────────────────────────────────────────
  /** Draw everything for the present state. */
  function draw() {
    if (!state.doc || !window.Plotly) return
    state.rem = parseFloat(getComputedStyle(document.documentElement).fontSize) / 10
    wallDensity.drill(state, draw)
    body.dataset.tab = state.tab
    if (state.focus && !isPhone()) body.dataset.focus = state.focus
    else delete body.dataset.focus
    showFigures()
    for (const number of ["1", "2", "3"]) drawMap(number)
    drawTime()
    drawBoard()
    showWeek()
    showNotes()
    showIndex()
    showChosen()
    body.classList.add("is-drawn")
  }

  /** Only what moves with the slider. */
  function drawWeek() {
    showFigures()
    for (const number of ["2", "1", "3"]) drawMap(number)
    drawBoard()
    showWeek()
    showNotes()
    showChosen()
  }

  /** Draw a map when anything it shows has changed; the colours of magnets alone are changed in place. */
  function drawMap(number) {
    const box = one(`[data-map="${number}"]`)
    const { clientWidth: width, clientHeight: height } = box
    if (!width || !height) return
    const frame = wallMaps.frame(state.doc, figures(), width, height, state.county, state.outlines)
    const now = view(frame), key = mapKey(number, now), before = drawn[number]
    if (before?.key === key) {
      if (number !== "2") return
      if (wallMaps.turn(box, wallMaps.looks(state.doc, figures(), now, before.own, frame.k, figures().ring * frame.k))) return
    }
    showGround(number, frame)
    const map = wallMaps.map(Number(number), state.doc, figures(), now, state.outlines)
    drawn[number] = { box, items: map.items, frame, key, own: wallMaps.shown(state.doc, now) }
    plot(box, map.data, map.layout, width, height)
    if (number === "1") showScale(frame)
  }

  /** The ground under the plot: the same piece of land, its lines scaled with everything drawn. */
  function showGround(number, { x, y, k }) {
    const ground = one(`[data-ground="${number}"]`)
    ground.setAttribute("viewBox", [x[0], state.doc.size[1] - y[1], x[1] - x[0], y[1] - y[0]].join(" "))
    ground.style.setProperty("--pixel", `${k}px`)
  }

  function view(frame) {
    const isKnown = isLive() || state.colour === "domain" // lag and risk are known for the day of the data only
    const colour = isKnown && wallDensity.isEach(state.doc, state.county) ? state.colour : ""
    return { week: state.week, county: state.county, domain: state.domain, colour, frame, k: frame.k }
  }

  /** What a map's drawing depends on, the looks of its magnets apart. */
  function mapKey(number, { week, county, domain, colour, frame }) {
    const { doc, etag, outlines } = state
    const by = (weeks) => weeks.filter((w) => w !== null && w <= week).length // weeks only add to both: the same numbers, the same projects
    const listed = `${by(doc.projects.listed_week)} ${by(doc.projects.delisted_week)}`
    const parts = [document.documentElement.dataset.theme, etag, county, frame.width, frame.height, Boolean(outlines), listed, doc.is_dense && week]
    if (number === "1") parts.push(domain, colour)
    if (number === "3") parts.push(domain, doc.sections.map((s) => wallDerive.sectionAt(doc, s, week).class ?? 0).join(""))
    return parts.join("|")
  }

  function plot(box, data, layout, width, height) {
    Plotly.react(box, data, { ...layout, width, height, autosize: false }, PLOT)
  }

  function drawTime() {
    const box = one("[data-time]"), k = state.rem * (isPhone() ? 0.95 : 1)
    if (!box.clientWidth) return
    const indexes = wallDerive.members(state.doc, state.county)
    const chart = wallMaps.time(state.doc, figures(), indexes, k)
    plot(box, chart.data, chart.layout, box.clientWidth, box.clientHeight)
    const inner = box.clientHeight - chart.layout.margin.b
    placeWords(chart, box.clientWidth, inner)
    one("[data-now]").style.left = `${(100 * state.doc.week) / Math.max(state.doc.last_week, 1)}%`
    for (const line of all("[data-now], [data-cursor]")) line.style.bottom = `${chart.layout.margin.b}px`
  }

  /** Each stage's name where its area is highest; none where there is no room. */
  function placeWords({ series, most }, width, height) {
    const last = Math.max(state.doc.last_week, 1)
    for (const stage of [1, 2, 3]) {
      const word = one(`[data-word="${stage}"]`)
      const room = series[stage].slice(0, state.doc.week + 1)
      const from = Math.ceil(last * 0.06)
      let week = from
      const to = state.doc.week - last * 0.07
      room.forEach((count, w) => { if (w >= from && w <= to && count > (room[week] ?? 0)) week = w })
      const below = (stage < 3 ? series[3][week] : 0) + (stage < 2 ? series[2][week] : 0)
      word.hidden = !(room[week] / most > 0.16)
      word.style.left = `${(width * week) / last}px`
      word.style.top = `${height * (1 - (below + room[week] / 2) / most)}px`
    }
    const plan = one("[data-word=plan]")
    plan.hidden = state.doc.last_week - state.doc.week < last * 0.1
    plan.style.left = `calc(${(100 * state.doc.week) / last}% + 0.8rem)`
  }

  function drawBoard() {
    const panel = one("[data-board-box]"), box = one("[data-board]"), list = one("[data-list]")
    panel.hidden = Boolean(state.county)
    list.hidden = !state.county
    if (state.county) wallDensity.showBoard(one("[data-board-panel]"), state, [])
    if (state.county) return say(list, [state.county, state.etag, state.week, state.doc.projects.code.length], () => showList(list))
    const { doc } = state, now = { week: state.week, domain: state.domain, k: state.rem }
    const rows = wallDerive.board(doc, state.week)
    if (wallDensity.showBoard(one("[data-board-panel]"), state, rows)) return showRates()
    if (!box.clientWidth) return
    const isMoving = state.isPlaying || Date.now() - state.steppedAt < SETTLE
    if (isMoving && state.order) rows.sort((a, b) => state.order.indexOf(a.name) - state.order.indexOf(b.name))
    else state.order = rows.map((row) => row.name)
    showColumns(rows)
    const { clientWidth: width, clientHeight: height } = box
    const key = [document.documentElement.dataset.theme, state.etag, width, height, ...rows.map((row) => `${row.position}:${row.count}`)].join("|")
    if (drawn.board?.key === key) {
      const { own, step } = wallMaps.columns(doc, rows, now, height)
      if (wallMaps.turn(box, wallMaps.boardLooks(doc, figures(), now, own, step))) {
        own.forEach((i, n) => { drawn.board.items[n].index = i })
        return
      }
    }
    const chart = wallMaps.board(doc, figures(), rows, now, width, height)
    drawn.board = { box, items: chart.items, key }
    one("[data-board-note]").textContent = boardNote.replace("一个项目", chart.per > 1 ? `${chart.per} 个项目` : "一个项目")
    plot(box, chart.data, chart.layout, width, height)
  }

  /** Under each column the county's name, which opens it, and how many of its projects are finished. */
  function showColumns(rows) {
    const box = one("[data-columns]")
    const asWords = rows.map((row) => `${row.name}:${row.finished}/${row.count}`)
    say(box, asWords, () => {
      box.replaceChildren(...rows.map((row) => element("button", { type: "button", "data-county": row.name, "aria-label": `${row.name}，完工${row.finished}个，共${row.count}个，点开只看本县（市、区）` },
        element("b", {}, row.short), element("span", {}, `${row.finished}/${row.count}`))))
      while (box.childElementCount < 6) box.append(element("i", {}))
    })
  }

  /** Write a part of the page when what it depends on has changed. */
  function say(box, parts, write) {
    const key = parts.join("|")
    if (told.get(box) === key) return
    told.set(box, key)
    write()
  }

  function text(selector, words) {
    const box = one(selector)
    if (box.textContent !== String(words)) box.textContent = words
  }

  function showRates() {
    delete drawn.board
    one("[data-board-note]").textContent = "按完工率排序 · 蓝为完工、绿为开工、红为前期"
  }

  function showFigures() {
    const { doc } = state, indexes = wallDerive.members(doc, state.county)
    const sum = wallDerive.counts(doc, indexes, state.week)
    const isWhole = isLive() && !state.county // then the server's own figures, which ledger and bulletin share
    const figure = isWhole ? { ...sum, total: doc.totals.count, ...pick(doc.totals, ["not_started", "under_construction", "finished"]) } : sum
    state.counts = pick(figure, ["total", "not_started", "under_construction", "finished", "started_now", "finished_now"])
    for (const name of ["total", "not_started", "under_construction", "finished"]) text(`[data-count=${name}]`, figure[name])
    for (const name of ["not_started", "under_construction", "finished"]) one(`[data-bar=${name}]`).style.flexGrow = figure[name]
    const money = isWhole ? doc.totals : { total_investment: sum.investment, invested: null, finished_investment: sum.finished_investment }
    for (const name of ["total_investment", "invested", "finished_investment"]) {
      text(`[data-figure=${name}]`, money[name] === null ? "" : money[name].toFixed(2))
    }
    one("[data-invested]").hidden = money.invested === null // reported money is known for the day of the data and the whole only
    text("[data-money-label]", isLive() ? "总投资" : "总投资（按现行）")
    body.classList.toggle("is-planned", state.week > doc.week)
    one("[data-plan-mark]").hidden = state.week <= doc.week
    showWater()
    const day = wallDerive.dayOf(doc, state.week)
    const words = state.isPlaying ? "" : `${state.week > doc.week ? "按计划推算，" : ""}截至${day}，${state.county}共${figure.total}个项目，` +
      `前期${figure.not_started}个，开工${figure.under_construction}个，完工${figure.finished}个。`
    text("[data-summary]", words)
  }

  function showWater() {
    const now = wallDerive.water(state.doc, state.week)
    const thisYear = Number(wallDerive.dayOf(state.doc, Math.min(state.week, state.doc.week)).slice(0, 4))
    const years = state.doc.water.years.filter((y) => y.year < thisYear).slice(-2)
    say(one("[data-chips]"), [now.month, now.classes, JSON.stringify(years)], () => {
      text("[data-water]", now.evaluated ? `${now.good}/${now.evaluated}` : "—")
      text("[data-water-month]", now.month ? monthWords(now.month) : "")
      const classes = [...now.classes].sort((a, b) => (a || 9) - (b || 9))
      one("[data-chips]").replaceChildren(...classes.map((c) => element("span", { class: `chip water-${c}` }, ROMAN[c])))
      one("[data-years]").replaceChildren(...years.map((y) => element("span", {}, `${y.year}年 `, element("b", {}, `${y.good}/${y.evaluated}`))))
    })
  }

  function showWeek() {
    const { doc, week } = state, slider = one("[data-slider]")
    const day = wallDerive.dayOf(doc, week), isPlanned = week > doc.week
    slider.value = week
    one("[data-day-label]").textContent = isPlanned ? "计划推算至" : week < doc.week ? "回放至" : "数据截至"
    one("[data-as-of]").textContent = day
    slider.setAttribute("aria-valuetext", `${isPlanned ? "计划，" : ""}第${week + 1}周，${day}，前期${state.counts.not_started}，开工${state.counts.under_construction}，完工${state.counts.finished}`)
    one("[data-cursor]").style.left = `${(100 * week) / Math.max(doc.last_week, 1)}%`
    const text = one("[data-week]")
    text.textContent = `第 ${week + 1} 周 · ${day}${isPlanned ? " · 计划" : ""}`
    text.classList.toggle("is-planned", isPlanned)
  }

  function showNotes() {
    const { doc, week, county } = state, { total, started_now: started, finished_now: finished } = state.counts
    const changes = [started && `开工 +${started}`, finished && `完工 +${finished}`].filter(Boolean).join(" ")
    note(1, county ? `${total} 个项目` : countyWords(doc))
    note(2, `${week > doc.week ? "计划 " : ""}${wallDerive.dayOf(doc, week)} 本周${changes ? ` ${changes}` : "无变化"}`)
    const { month } = wallDerive.water(doc, week)
    const levels = [...new Set(doc.sections.map((s) => s.level_name))]
    const numbers = levels.map((name) => `${name} ${doc.sections.filter((s) => s.level_name === name).length}`)
    note(3, [month && monthWords(month), numbers.join("　")].filter(Boolean).join(" · "))
    const rate = (part) => (total ? `${((100 * part) / total).toFixed(1)}%` : "—")
    const [started_rate, finished_rate] = [rate(state.counts.under_construction + state.counts.finished), rate(state.counts.finished)]
    say(one("[data-rates]"), [started_rate, finished_rate], () => one("[data-rates]").replaceChildren("开工率 ", element("b", {}, started_rate), "　完工率 ", element("b", {}, finished_rate)))
    showLegend()
    one("[data-crumb]").hidden = !county
    one("[data-subtitle]").hidden = Boolean(county)
    one("[data-crumb-name]").textContent = county
    one("[data-board-title]").textContent = county ? `${county}项目清单` : boardTitle
    if (county) one("[data-board-note]").textContent = `${total} 个项目 · 点地图空白处返回`
  }

  const boardTitle = one("[data-board-title]").textContent, boardNote = one("[data-board-note]").textContent
  function countyWords(doc) {
    const within = new Set(wallDerive.board(doc, doc.week).map((row) => row.name)), present = [...doc.counties.name.keys()].filter((n) => within.has(doc.counties.name[n]))
    const zones = present.filter((n) => doc.counties.is_zone[n]).length
    return `${present.length - zones} 个县（市、区）${zones ? `、${zones} 个开发区` : ""}`
  }

  const monthWords = (month) => `${Number(month.slice(0, 4))}年${Number(month.slice(5))}月`
  const note = (number, text) => { one(`[data-note="${number}"]`).textContent = text }

  /** Below map 1: the domains with their counts, each a button that lets the others fade; or what the chosen marks mean. */
  function showLegend() {
    const { doc } = state, box = one("[data-domains]"), { colour } = view({ k: 1 })
    const indexes = wallDerive.members(doc, state.county).filter((i) => wallDerive.stageAt(doc, i, state.week))
    const count = (holds) => indexes.filter(holds).length
    const hint = !state.colour || colour ? "" : isLive() || state.colour === "domain" ? "（项目太多，点开一个县再着色）" : "（滞后、风险只有数据截止日的）"
    if (colour === "lag" || colour === "risk") {
      const keyOf = colour === "lag" ? (i) => wallDerive.lagOf(doc, i) : (i) => doc.projects.risk[i]
      const words = colour === "lag" ? lagWords(doc) : wallDerive.RISK_WORDS
      const marks = colour === "lag" ? figures().lags : figures().risks
      const rows = Object.keys(words).map((key) => [key, words[key], count((i) => keyOf(i) === key)])
      return say(box, [colour, document.documentElement.dataset.theme, rows], () => box.replaceChildren(...rows.map(([key, word, number]) =>
        element("li", {}, swatch(marks[key]), `${word} `, element("b", {}, number)))))
    }
    const rows = doc.domains.map((name, n) => [name, n, doc.is_dense ? wallDensity.domainCount(doc, state.county, n, state.week) : count((i) => doc.projects.domain[i] === name)])
    say(box, [colour, state.domain, document.documentElement.dataset.theme, hint, rows], () => {
      const isFocused = box.contains(document.activeElement) && document.activeElement.dataset.domain
      box.replaceChildren(...rows.map(([name, n, number]) => element("li", {}, element("button", { type: "button", "data-domain": name, "aria-pressed": String(state.domain === name) },
        ...(colour ? [swatch(figures().domains[n % figures().domains.length])] : []), `${name} `, element("b", {}, number)))), ...(hint ? [element("li", {}, hint)] : []))
      if (isFocused) box.querySelector(`[data-domain="${isFocused}"]`)?.focus()
    })
  }

  const lagWords = ({ lag_points: [behind, far] }) => ({
    ahead: "不滞后", some: `滞后<${behind}点`, behind: `${behind}–${far}点`, far_behind: `>${far}点`, unreported: "未报", finished: "完工",
  })

  function swatch({ symbol, color }) {
    const made = element("i", { class: `swatch swatch-${symbol}`, "aria-hidden": "true" })
    made.style.setProperty("--mark", color)
    return made
  }

  function showScale({ scale, width }) {
    const length = [100, 50, 40, 20, 10, 5, 2, 1].find((km) => km * scale < width * 0.22) ?? 1
    const box = one("[data-scale]")
    box.style.width = `${length * scale}px`
    box.replaceChildren(element("span", {}, `${length} km`))
  }

  // ── lists ─────────────────────────────────────────────────────────────────────────────────────────────────────────
  function showList(box) {
    const rows = wallDerive.members(state.doc, state.county).filter((i) => wallDerive.stageAt(state.doc, i, state.week))
    const half = rows.length > 5 && rows.length <= MOST_ROWS ? Math.ceil(rows.length / 2) : rows.length
    box.replaceChildren(...[rows.slice(0, half), rows.slice(half)].filter((part) => part.length).map(projectTable))
  }

  function projectTable(rows) {
    const p = state.doc.projects
    if (rows.length > MOST_ROWS) return element("p", {}, `${state.counts.total} 个项目，请到`, element("a", { href: body.dataset.project }, "项目页"), "查阅。")
    return table(["序号", "项目", "领域", "状态", "开工", "完工（计划）", "亿元"], rows.map((i) => {
      const stage = wallDerive.stageAt(state.doc, i, state.week)
      return [
        cell("fix", element("b", {}, p.number[i] ?? p.code[i])),
        cell("wide", element("a", { href: addressOf({ kind: "project", index: i }), "data-open": `project:${p.code[i]}`, title: p.name[i] }, p.name[i])),
        cell("fix", p.domain[i]),
        cell("fix", element("i", { class: `mark mark-${stage}` }), STAGE_WORDS[stage]),
        cell("fix", p.started_on[i]?.slice(0, 7) ?? "—"),
        cell("fix", p.completed_on[i]?.slice(0, 7) ?? `（${p.planned_finish_on[i].slice(0, 7)}）`),
        cell("digit", p.investment[i].toFixed(2)),
      ]
    }))
  }

  function sectionTable() {
    return table(["断面", "河流", "责任县（市、区）", "级别", "目标", "上月", "本月"], state.doc.sections.map((s) => {
      const now = wallDerive.sectionAt(state.doc, s, state.week), before = wallDerive.monthBefore(s, now.month)
      return [
        cell("wide", element("a", { href: sectionAddress(s), "data-open": `section:${s.id}` }, s.name)), cell("fix", s.river), cell("fix", s.county), cell("fix", s.level_name),
        cell("fix", s.target ? ROMAN[s.target] : "—"), cell("fix", before ? ROMAN[before] : "—"),
        cell("fix", element("span", { class: `chip water-${now.class ?? 0}` }, now.class ? ROMAN[now.class] : "未监测")),
      ]
    }))
  }

  function showIndex() {
    const box = one("[data-catalogue]")
    box.hidden = !body.dataset.focus
    if (box.hidden) return
    say(box, [state.focus, state.county, state.etag, state.week, state.doc.projects.code.length], () => {
      const [title, content] = indexOf()
      box.replaceChildren(element("h2", {}, title), content)
    })
  }

  /** Title and content of the list beside a map seen alone. */
  function indexOf() {
    if (state.focus === "3") return ["断面清单", sectionTable()]
    if (state.doc.is_dense && !state.county) return ["各县（市、区）进度", countyTable()]
    const rows = wallDerive.members(state.doc, state.county).filter((i) => wallDerive.stageAt(state.doc, i, state.week))
    return state.county ? [`${state.county}项目清单`, projectTable(rows)] : ["编号索引", projectIndex(rows)]
  }

  /** Where buttons gave way to counts, the counties in figures; a name opens its county. */
  function countyTable() {
    const heads = ["县（市、区）", "项目", ...[1, 2, 3].map((stage) => STAGE_WORDS[stage]), "完工率"]
    return table(heads, wallDerive.board(state.doc, state.week).map(({ name }) => {
      const sum = wallDensity.counts(state.doc, { county: name }, state.week)
      return [
        cell("fix", element("button", { type: "button", "data-county": name }, name)),
        ...[sum.total, sum.not_started, sum.under_construction, sum.finished].map((count) => cell("digit", count)),
        cell("digit", `${Math.round((100 * sum.finished) / Math.max(sum.total, 1))}%`),
      ]
    }))
  }

  /** All projects at a glance: number, stage, name, county, in columns that hold them all. */
  function projectIndex(rows) {
    const p = state.doc.projects, short = Object.fromEntries(state.doc.counties.name.map((name, n) => [name, state.doc.counties.short[n]]))
    if (rows.length > MOST_ROWS) return projectTable(rows)
    const list = element("ol", { class: `catalogue${rows.length > 110 ? " is-long" : ""}` }, ...rows.map((i) => {
      const stage = wallDerive.stageAt(state.doc, i, state.week)
      return element("li", {}, element("a", { href: addressOf({ kind: "project", index: i }), "data-open": `project:${p.code[i]}`, title: p.name[i] },
        element("b", {}, p.number[i] ?? p.code[i]), element("i", { class: `mark mark-${stage}`, role: "img", "aria-label": STAGE_WORDS[stage] }),
        element("span", {}, p.name[i]), element("small", {}, short[p.county[i]])))
    }))
    list.style.setProperty("--rows", Math.ceil(rows.length / 2))
    return list
  }

  function table(heads, rows) {
    return element("table", {}, element("thead", {}, element("tr", {}, ...heads.map((head, n) => element("th", { class: rows[0]?.[n].className ?? "" }, head)))),
      element("tbody", {}, ...rows.map((cells) => element("tr", {}, ...cells))))
  }

  const cell = (kind, ...content) => element("td", { class: kind }, ...content)

  function element(name, attributes, ...content) {
    const made = document.createElement(name)
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
    made.append(...content.map((part) => (part instanceof Node ? part : String(part))))
    return made
  }

  const pick = (from, names) => Object.fromEntries(names.map((name) => [name, from[name]]))

  // ── pointer: what is under it, and a card about it ────────────────────────────────────────────────────────────────
  function found(key, event) {
    const plotted = drawn[key]
    if (!plotted) return null
    const box = plotted.box.getBoundingClientRect()
    const [left, top] = [event.clientX - box.left, event.clientY - box.top]
    let best = null, least = Infinity
    for (const item of plotted.items) {
      const away = Math.hypot(item.left - left, item.top - top) / item.radius
      if (away <= 1 && away < least) [best, least] = [item, away]
    }
    return best
  }

  function listen(box, key) {
    box.addEventListener("pointermove", (event) => {
      if (event.pointerType === "touch") return
      const item = found(key, event)
      box.classList.toggle("is-pointing", Boolean(item))
      if (item) showCard(item, event)
      else hideCard()
    })
    box.addEventListener("pointerleave", (event) => { if (event.pointerType !== "touch") hideCard() })
    box.addEventListener("click", (event) => {
      const item = found(key, event)
      hideCard()
      if (item?.kind === "county") return choose(state.doc.counties.name[item.index])
      if (item && body.dataset.kiosk === "0") return wallCards.open(nameOf(item))
      if (item) return null
      if (key !== "board") chooseAt(key, event, box)
    })
  }

  /** What a card is called in the address: `project:LF-001`, `section:3`. */
  function nameOf({ kind, index }) {
    return kind === "section" ? `section:${state.doc.sections[index].id}` : `project:${state.doc.projects.code[index]}`
  }

  /** A ring around what the open card speaks of, on every map. */
  function showChosen() {
    for (const key of ["1", "2", "3"]) {
      const ring = one(`[data-chosen="${key}"]`)
      const item = state.card && drawn[key]?.items.find((found) => found.kind !== "county" && nameOf(found) === state.card)
      ring.hidden = !item
      if (!item) continue
      Object.assign(ring.style, { left: `${item.left}px`, top: `${item.top}px`, width: `${2 * item.radius + 10}px`, height: `${2 * item.radius + 10}px` })
    }
  }

  function chooseAt(key, event, box) {
    const { frame } = drawn[key], rect = box.getBoundingClientRect()
    const code = wallMaps.countyAt(state.outlines, frame.x[0] + (event.clientX - rect.left) / frame.scale, frame.y[1] - (event.clientY - rect.top) / frame.scale)
    const name = code && state.doc.counties.name[state.doc.counties.code.indexOf(code)]
    choose(name && name !== state.county ? name : "")
  }

  function addressOf(item) {
    if (item.kind === "section") return sectionAddress(state.doc.sections[item.index])
    return `${body.dataset.project}${state.doc.projects.code[item.index]}/${dayQuery()}`
  }

  /** The page of a section, on the day that the wall was asked for. */
  function sectionAddress(section) {
    return `${body.dataset.section}${section.id}/${dayQuery()}`
  }

  function dayQuery() {
    const day = asked.get("as_of")
    return day ? `?as_of=${encodeURIComponent(day)}` : ""
  }

  function showCard(item, event) {
    if (item.kind === "county") return hideCard()
    const box = one("[data-card]")
    box.replaceChildren(...(item.kind === "section" ? sectionCard(item.index) : projectCard(item.index)))
    box.hidden = false
    const { width, height } = box.getBoundingClientRect()
    box.style.left = `${Math.max(8, Math.min(event.clientX + 16, innerWidth - width - 8))}px`
    box.style.top = `${event.clientY + 18 + height > innerHeight - 8 ? event.clientY - height - 14 : event.clientY + 18}px`
  }

  function projectCard(i) {
    const p = state.doc.projects, stage = wallDerive.stageAt(state.doc, i, state.week)
    const dates = [p.started_on[i] && `开工 ${p.started_on[i]}`, p.completed_on[i] ? `完工 ${p.completed_on[i]}` : `计划完工 ${p.planned_finish_on[i]}`]
    return [
      element("strong", {}, `${p.number[i] ?? ""}　${p.name[i]}`),
      element("span", {}, `${p.code[i]} · ${p.county[i]} · ${p.domain[i]}`),
      element("span", {}, element("i", { class: `mark mark-${stage}` }), ` ${STAGE_WORDS[stage]}${p.progress[i] === null || stage === 3 ? "" : `　总体进度 ${p.progress[i]}%`}`),
      element("span", {}, dates.filter(Boolean).join("　")),
      element("span", {}, `总投资 ${p.investment[i].toFixed(2)} 亿元 · ${p.provenance[i]}`),
    ]
  }

  function sectionCard(n) {
    const s = state.doc.sections[n], now = wallDerive.sectionAt(state.doc, s, state.week)
    const good = now.class === null ? "" : now.class <= s.target ? " · 达到目标" : s.target ? " · 未达目标" : ""
    return [
      element("strong", {}, `${s.name}（${s.level_name}）`),
      element("span", {}, `${s.river} · ${s.county}`),
      element("span", {}, `${now.month ? `${monthWords(now.month)} ` : ""}${now.class ? `${ROMAN[now.class]} 类` : "未监测"}${s.target ? `　目标 ${ROMAN[s.target]} 类${good}` : ""}`),
      element("span", {}, "点位为近似位置"),
    ]
  }

  function hideCard() {
    one("[data-card]").hidden = true
  }

  // ── choices: county, domain, week, focus, theme ───────────────────────────────────────────────────────────────────
  function choose(county) {
    state.county = county
    remember(true)
    draw()
  }

  let settling = null
  function show(week) {
    const next = Math.max(0, Math.min(week, state.doc.last_week))
    if (next === state.week) return
    state.week = next
    state.steppedAt = Date.now()
    drawWeek()
    clearTimeout(settling)
    if (!state.isPlaying) settling = setTimeout(settle, SETTLE + 20)
  }

  /** The slider stands still: sort the board, bring lists, address and the open card up to the day. */
  function settle() {
    drawBoard()
    showIndex()
    remember()
    if (state.card) wallCards.open(state.card, false)
  }

  /** From the shown week to the day of the data; from there, once more from the beginning. */
  function play() {
    if (state.isPlaying) return stop()
    state.isPlaying = true
    if (state.week >= state.doc.week) state.week = 0
    one("[data-play]").setAttribute("aria-pressed", "true")
    const tick = () => {
      if (!state.isPlaying) return
      if (state.week >= state.doc.week) return stop()
      show(state.week + 1)
      setTimeout(tick, STEP)
    }
    show(state.week)
    setTimeout(tick, STEP)
  }

  function stop() {
    if (!state.isPlaying) return
    state.isPlaying = false
    one("[data-play]").setAttribute("aria-pressed", "false")
    state.steppedAt = 0
    drawWeek()
    settle()
  }

  function focusOn(number) {
    state.focus = state.focus === number ? "" : number
    if (isPhone()) [state.tab, state.focus] = [number, ""]
    remember(true)
    draw()
  }

  function back() {
    hideCard()
    if (state.card) return wallCards.close()
    if (state.isPlaying) return stop()
    if (state.county) return choose("")
    if (state.focus) return focusOn(state.focus)
    if (state.domain) { state.domain = ""; return draw() }
    if (!isLive()) { show(state.doc.week); settle() }
  }

  function switchTheme() {
    setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark")
    document.cookie = `wall_theme=${document.documentElement.dataset.theme}; path=/; max-age=31536000; samesite=lax`
    remember()
  }

  function setTheme(theme) {
    document.documentElement.dataset.theme = theme
    draw()
  }

  /** Show another view without a step in the address: a screen on a wall does so for months. */
  function look(wanted) {
    Object.assign(state, wanted)
    draw()
  }

  /** The address carries the state, so it can be sent to a colleague or put on a screen; `isStep`: and the browser's back button undoes it. */
  function remember(isStep) {
    if (body.dataset.kiosk !== "0") return
    const address = new URL(location.href), put = (name, value) => (value ? address.searchParams.set(name, value) : address.searchParams.delete(name))
    put("county", state.county)
    put("focus", state.focus)
    put("date", state.doc && !isLive() ? wallDerive.dayOf(state.doc, state.week) : "")
    put("colour", state.colour)
    put("card", state.card)
    put("tab", isPhone() ? state.tab : "")
    put("theme", document.documentElement.dataset.theme)
    if (address.href === location.href) return
    history[isStep ? "pushState" : "replaceState"](null, "", address)
  }

  /** The browser went back or forward: show what the address says. */
  function recall() {
    const { searchParams } = new URL(location.href), get = (name) => searchParams.get(name) ?? ""
    Object.assign(state, { county: get("county"), focus: get("focus"), colour: get("colour"), tab: get("tab") || state.tab })
    state.week = (get("date") && wallDerive.weekOf(state.doc, get("date"))) || state.doc.week
    if (!state.doc.counties.name.includes(state.county)) state.county = ""
    document.documentElement.dataset.theme = get("theme") || document.documentElement.dataset.theme
    one("[data-colour]").value = state.colour
    showTabs()
    draw()
    if (get("card") !== state.card) get("card") ? wallCards.open(get("card"), false) : wallCards.close(false)
  }

  /** For paper the light picture in the size of the sheet; afterwards as before. */
  function print(isOn) {
    if (!state.doc || isOn === (screenTheme !== null)) return
    stop()
    body.classList.toggle("is-paper", isOn)
    document.documentElement.classList.toggle("is-paper", isOn)
    const theme = isOn ? "light" : screenTheme
    screenTheme = isOn ? document.documentElement.dataset.theme : null
    phoneSheet.disabled = isOn
    setTheme(theme)
  }

  const keys = {
    " ": play, ArrowLeft: () => show(state.week - 1), ArrowRight: () => show(state.week + 1), Home: () => show(0), End: () => show(state.doc.week),
    1: () => focusOn("1"), 2: () => focusOn("2"), 3: () => focusOn("3"), Escape: back, "/": () => wallFind.open(),
  }

  function start() {
    for (const number of ["1", "2", "3"]) listen(one(`[data-map="${number}"]`), number)
    listen(one("[data-board]"), "board")
    for (const place of ["[data-board-panel]", "[data-catalogue]"]) one(place).addEventListener("click", (event) => {
      const name = event.target.closest("[data-county]")?.dataset.county
      if (name) choose(name)
    })
    document.addEventListener("keydown", (event) => {
      const key = keys[event.key]
      if (!key || !state.doc || event.ctrlKey || event.metaKey || event.altKey) return
      if (event.target.matches("input:not([type=range]), select, textarea")) return
      if (event.target.matches("input") && event.key.startsWith("Arrow")) return // the slider knows its own arrows
      if (event.key === " " && event.target.matches("button, a, summary")) return
      event.preventDefault()
      key()
    })
    one("[data-slider]").addEventListener("input", (event) => { state.isPlaying = false; one("[data-play]").setAttribute("aria-pressed", "false"); show(Number(event.target.value)) })
    one("[data-play]").addEventListener("click", play)
    one("[data-theme-button]").addEventListener("click", switchTheme)
    one("[data-back]").addEventListener("click", () => choose(""))
    for (const button of all("[data-focus-button]")) button.addEventListener("click", () => focusOn(button.dataset.focusButton))
    for (const button of all("[data-tab]")) if (button !== body) button.addEventListener("click", () => { state.tab = button.dataset.tab; hideCard(); showTabs(); remember(true); draw() })
    one("[data-domains]").addEventListener("click", (event) => {
      const name = event.target.closest("[data-domain]")?.dataset.domain
      if (name) { state.domain = state.domain === name ? "" : name; draw() }
    })
    one("[data-colour]").value = state.colour
    one("[data-colour]").addEventListener("change", (event) => { state.colour = event.target.value; remember(true); draw() })
    document.addEventListener("click", (event) => {
      const name = event.target.closest("[data-open]")?.dataset.open
      if (!name || event.ctrlKey || event.metaKey || event.shiftKey) return
      event.preventDefault()
      wallCards.open(name)
    })
    addEventListener("popstate", () => state.doc && recall())
    addEventListener("beforeprint", () => print(true))
    addEventListener("afterprint", () => print(false))
    let resizing
    addEventListener("resize", () => { clearTimeout(resizing); resizing = setTimeout(draw, 120) })
    setInterval(showFreshness, 15000)
    showTabs()
    begin()
  }

  async function begin() {
    const outlines = fetch(body.dataset.outlines).then((response) => (response.ok ? response.json() : null)).catch(() => null)
    if (state.county) state.outlines = await outlines
    loadPlotly()
    poll()
    if (state.card) wallCards.open(state.card, false)
    state.outlines = await outlines
    await document.fonts.ready // text is measured with the faces it will have
    if (state.doc) draw()
  }

  /** After the first picture: figures and ground do not wait for the megabyte that draws the rest. */
  function loadPlotly() {
    const script = element("script", { src: body.dataset.plotly })
    script.addEventListener("load", draw)
    requestAnimationFrame(() => setTimeout(() => document.head.append(script)))
  }

  function showTabs() {
    body.dataset.tab = state.tab
    for (const button of all(".tabs [data-tab]")) button.setAttribute("aria-current", String(button.dataset.tab === state.tab))
  }

  document.addEventListener("DOMContentLoaded", start)
  return { refresh, state, play, stop, show, choose, draw, remember, focusOn, showChosen, print, look, element, dayOf: () => (isLive() ? asked.get("as_of") ?? "" : state.week < state.doc.week ? wallDerive.dayOf(state.doc, state.week) : state.doc.as_of) }
})()
