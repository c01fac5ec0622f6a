/* Fills the figures that the server made (projects/charts.py) with the columns of the data document. No page state here:
   a `view` says which week, county and domain to show, and how large the panel is. */
"use strict"

const wallMaps = (() => {
  const { ROMAN, stageAt, hasChanged, sectionAt } = wallDerive
  const dim = 0.16 // opacity of what is not asked for

  /** What part of the map a panel of `width` × `height` px shows: ranges in km, px per km, and the scale of all drawing. */
  function frame(doc, figures, width, height, county, outlines) {
    const [w, h] = doc.size
    const full = Math.min(width / w, height / h)
    const reference = Math.min(figures.reference[0] / w, figures.reference[1] / h)
    let box = [0, 0, w, h]
    if (county) box = countyBox(doc, county, outlines)
    const scale = Math.min(width / (box[2] - box[0]), height / (box[3] - box[1]))
    const [cx, cy] = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]
    const x = [cx - width / scale / 2, cx + width / scale / 2]
    const y = [cy - height / scale / 2, cy + height / scale / 2]
    const closer = county ? 1.35 : 1 // buttons of a county seen alone are larger
    return { x, y, scale, zoom: scale / full / closer, k: (full / reference) * closer * doc.scale, width, height }
  }

  function countyBox(doc, county, outlines) {
    const position = doc.counties.name.indexOf(county)
    const rings = outlines?.[doc.counties.code[position]]
    const [ax, ay] = doc.counties.anchor[position]
    if (!rings) return [ax - 14, ay - 12, ax + 14, ay + 12]
    const xs = rings.flat().filter((_, i) => i % 2 === 0), ys = rings.flat().filter((_, i) => i % 2)
    const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]
    const air = 0.07 * Math.max(x1 - x0, y1 - y0)
    return [x0 - air, y0 - air, x1 + air, y1 + air]
  }

  /** The figure with every size multiplied by `k`; its columns are still empty. */
  function scaled(figure, k) {
    const data = figure.data.map((trace) => {
      const copy = structuredClone(trace)
      if (copy.textfont) copy.textfont.size *= k
      if (copy.line?.width) copy.line.width *= k
      if (copy.marker && !Array.isArray(copy.marker.size)) copy.marker.size *= k
      if (copy.marker?.line?.width) copy.marker.line.width *= k
      return copy
    })
    const layout = structuredClone(figure.layout)
    layout.font.size *= k
    return { data, layout, trace: Object.fromEntries(data.map((t) => [t.name, t])) }
  }

  const drawers = [drawSites, drawMagnets, drawSections]

  /** One of the three maps: `{data, layout, items}`; items are what a pointer can find, in px of the panel. */
  function map(number, doc, figures, view, outlines) {
    const { frame: at } = view
    const figure = scaled(figures.maps[number - 1], at.k)
    figure.layout.xaxis.range = at.x
    figure.layout.yaxis.range = at.y
    veil(figure, doc, view, outlines)
    const draw = (doc.is_dense && wallDensity.drawers[number - 1]) || drawers[number - 1]
    const items = draw(figure, doc, figures, view, wallDerive.members(doc, view.county)).map((item) => ({
      ...item, left: (item.x - at.x[0]) * at.scale, top: (at.y[1] - item.y) * at.scale,
    }))
    return { data: figure.data, layout: figure.layout, items }
  }

  /** Where something placed beside its base stands when the map is enlarged but buttons are not. */
  function nearer(base, place, zoom) {
    return [base[0] + (place[0] - base[0]) / zoom, base[1] + (place[1] - base[1]) / zoom]
  }

  function put(trace, points, more = {}) {
    trace.x = points.map((p) => p[0])
    trace.y = points.map((p) => p[1])
    Object.assign(trace, more)
  }

  function lines(trace, segments) {
    trace.x = segments.flatMap(([a, b]) => [a[0], b[0], null])
    trace.y = segments.flatMap(([a, b]) => [a[1], b[1], null])
  }

  function veil({ trace }, doc, { county, frame: at }, outlines) {
    const rings = county && outlines?.[doc.counties.code[doc.counties.name.indexOf(county)]]
    if (!rings) return
    const [x0, x1] = at.x, [y0, y1] = at.y
    const outer = [[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]
    const inner = rings.map((ring) => pairs(ring))
    // One path with the county as its hole: out along the frame, in along each ring.
    put(trace.veil, [...outer, ...inner.flatMap((ring) => [...ring, outer[0]])])
    put(trace.border, inner.flatMap((ring) => [...ring, [null, null]]))
  }

  function pairs(flat) {
    const found = []
    for (let i = 0; i < flat.length; i += 2) found.push([flat[i], flat[i + 1]])
    return found
  }

  /** The projects that get a button; none when there are too many for a button each. */
  function shown(doc, view) {
    return doc.is_dense ? [] : wallDerive.members(doc, view.county).filter((i) => stageAt(doc, i, view.week))
  }

  function isFaint(doc, view, i) {
    return view.domain && doc.projects.domain[i] !== view.domain
  }

  function label(doc, i) {
    return String(doc.projects.number[i] ?? doc.projects.code[i].replace(/^.*-0*/, ""))
  }

  function drawSites({ trace }, doc, figures, view) {
    const p = doc.projects, { zoom, k, scale } = view.frame
    const own = shown(doc, view)
    const site = (i) => [p.x[i] ?? p.disc_x[i], p.y[i] ?? p.disc_y[i]]
    const places = own.map((i) => nearer(site(i), [p.disc_x[i], p.disc_y[i]], zoom))
    const marks = own.map((i) => markOf(doc, figures, view, i))
    put(trace.discs, places, { text: own.map((i) => (view.colour === "lag" ? lagText(doc, i) : label(doc, i))) })
    trace.discs.marker.opacity = own.map((i) => (isFaint(doc, view, i) ? dim : 1))
    if (marks[0]) {
      Object.assign(trace.discs.marker, { symbol: marks.map((m) => m.symbol), color: marks.map((m) => m.color), size: marks.map((m) => m.size * k) })
    }
    const digit = figures.maps[0].data.at(-1).textfont.color
    trace.discs.textfont.color = own.map((i, n) => faded(marks[n]?.digit ?? digit, isFaint(doc, view, i)))
    const away = own.map((i, n) => [site(i), places[n]]).filter(([a, b]) => Math.hypot(a[0] - b[0], a[1] - b[1]) * scale > 8 * k)
    lines(trace.leaders, away)
    put(trace.sites, away.map(([a]) => a))
    if (!view.county) names(trace.counties, doc, "title_1")
    return own.map((i, n) => ({ kind: "project", index: i, x: places[n][0], y: places[n][1], radius: 10 * k }))
  }

  /** Shape and colour of project `i` on map 1 by what was chosen; null: a plain disc. */
  function markOf(doc, figures, { colour }, i) {
    if (colour === "domain") return figures.domains[doc.domains.indexOf(doc.projects.domain[i]) % figures.domains.length]
    if (colour === "risk") return figures.risks[doc.projects.risk[i]]
    return colour === "lag" ? figures.lags[wallDerive.lagOf(doc, i)] : null
  }

  function lagText(doc, i) {
    const { lag, completed_on: done } = doc.projects
    return done[i] ? "" : lag[i] === null ? "?" : String(Math.round(lag[i])).replace("-", "−")
  }

  function names(trace, doc, column) {
    const c = doc.counties
    const named = [...c.code.keys()].filter((i) => c[column][i])
    put(trace, named.map((i) => c[column][i]), { text: named.map((i) => c.short[i]) })
  }

  function drawMagnets({ trace }, doc, figures, view) {
    const p = doc.projects, c = doc.counties, { k, scale } = view.frame
    const own = shown(doc, view)
    const lone = view.county ? lonePlaces(doc, own, view) : null
    const places = own.map((i) => (lone ? lone.slots.get(i) : [p.magnet_x[i], p.magnet_y[i]]))
    put(trace.magnets, places, { text: own.map((i) => label(doc, i)) })
    wear(trace.magnets, looks(doc, figures, view, own, k, figures.ring * k))
    if (lone) {
      put(trace.counties, [lone.title], { text: [c.short[lone.position]] })
    } else {
      names(trace.counties, doc, "title_2")
      const led = [...c.code.keys()].filter((n) => c.leader_2[n])
      lines(trace.leaders, led.map((n) => c.leader_2[n]))
      put(trace.anchors, [...c.code.keys()].filter((n) => c.leader_2[n] || c.is_zone[n]).map((n) => c.anchor[n]))
    }
    return own.map((i, n) => ({ kind: "project", index: i, x: places[n][0], y: places[n][1], radius: 12 * k })).concat(
      lone ? [] : c.code.map((_, n) => ({ kind: "county", index: n, x: c.title_2[n][0], y: c.title_2[n][1], radius: 18 * k, scale })))
  }

  /** How the buttons of `own` look in the week shown: one column per property, in the order of `own`. */
  function looks(doc, figures, view, own, k, ring) {
    const faint = own.map((i) => isFaint(doc, view, i)), stages = own.map((i) => figures.stages[stageAt(doc, i, view.week)])
    const isPlanned = view.week > doc.week, changed = own.map((i, n) => !faint[n] && hasChanged(doc, i, view.week))
    return {
      symbol: stages.map((s) => s.symbol),
      color: stages.map((s) => s.color),
      size: stages.map((s) => s.size * k),
      opacity: faint.map((is, n) => (is ? dim : isPlanned ? (changed[n] ? 0.85 : 0.6) : 1)),
      line: changed.map((is) => (is ? ring : 0)),
      digit: stages.map((s, n) => faded(s.digit, faint[n])),
    }
  }

  function wear(trace, { line, digit, ...marker }) {
    Object.assign(trace.marker, marker)
    trace.marker.line.width = line
    if (trace.mode !== "markers") trace.textfont.color = digit
  }

  const shapes = {
    circle: (r) => `M${r},0A${r},${r} 0 1,1 0,${-r}A${r},${r} 0 0,1 ${r},0Z`,
    square: (r) => `M${r},${r}H${-r}V${-r}H${r}Z`,
    diamond: (r) => `M${1.3 * r},0L0,${1.3 * r}L${-1.3 * r},0L0,${-1.3 * r}Z`,
  }

  /** Change what differs on the buttons that Plotly has drawn in `box`, in place: a week turns a few of a hundred, and to draw
      them all anew takes too long for a key that is held down. False when the drawing is not what is expected. */
  function turn(box, next) {
    const trace = box.data?.find((t) => t.name === "magnets")
    const points = box.querySelectorAll(`.trace${box._fullData?.find((t) => t.name === "magnets")?.uid} .points path`)
    const texts = box.querySelectorAll(`.trace${box._fullData?.find((t) => t.name === "magnets")?.uid} .text text`)
    const hasText = trace?.mode !== "markers"
    if (!trace || points.length !== next.symbol.length || (hasText && texts.length !== points.length)) return false
    const { marker } = trace, { width } = marker.line
    for (const [n, point] of points.entries()) {
      if (marker.symbol[n] !== next.symbol[n] || marker.size[n] !== next.size[n]) point.setAttribute("d", shapes[next.symbol[n]](next.size[n] / 2))
      if (marker.color[n] !== next.color[n]) point.style.fill = next.color[n]
      if (marker.opacity[n] !== next.opacity[n]) point.style.opacity = next.opacity[n]
      if (width[n] !== next.line[n]) {
        point.style.strokeWidth = `${next.line[n]}px`
        point.style.stroke = marker.line.color
        if (next.line[n]) point.style.strokeOpacity = 1
      }
      if (hasText && trace.textfont.color[n] !== next.digit[n]) texts[n].style.fill = next.digit[n]
    }
    wear(trace, next)
    return true
  }

  /** A county seen alone: its buttons in the same rows, on its own ground. */
  function lonePlaces(doc, own, view) {
    const p = doc.projects, position = doc.counties.name.indexOf(view.county)
    const anchor = doc.counties.anchor[position], title = doc.counties.title_2[position]
    const ys = [title[1], ...own.map((i) => p.magnet_y[i])]
    const middle = [title[0], (Math.min(...ys) + Math.max(...ys)) / 2]
    const place = (point) => [anchor[0] + (point[0] - middle[0]) / view.frame.zoom, anchor[1] + (point[1] - middle[1]) / view.frame.zoom]
    return { position, title: place(title), slots: new Map(own.map((i) => [i, place([p.magnet_x[i], p.magnet_y[i]])])) }
  }

  function drawSections({ trace }, doc, figures, view) {
    const { zoom, k, scale } = view.frame
    const site = (s) => [s.x, s.y]
    const places = doc.sections.map((s) => nearer(site(s), s.place, zoom))
    const states = doc.sections.map((s) => sectionAt(doc, s, view.week).class ?? 0)
    for (const [name, isNational] of [["national", true], ["sections", false]]) {
      const some = [...doc.sections.keys()].filter((n) => (doc.sections[n].level === "national") === isNational)
      const colours = some.map((n) => figures.water[states[n]])
      put(trace[name], some.map((n) => places[n]), { text: some.map((n) => ROMAN[states[n]]) })
      trace[name].marker.color = colours.map((c) => c.color)
      trace[name].textfont.color = colours.map((c) => c.digit)
      trace[name].textfont.size = some.map((n) => (states[n] === 6 ? 0.82 : 1) * figures.maps[2].data.find((t) => t.name === name).textfont.size * k)
    }
    const titled = doc.sections.map((s, n) => [s, n]).filter(([s]) => s.title)
    put(trace.names, titled.map(([s]) => nearer(site(s), s.title, zoom)), { text: titled.map(([s]) => s.name) })
    const away = doc.sections.map((s, n) => [site(s), places[n]]).filter(([a, b]) => Math.hypot(a[0] - b[0], a[1] - b[1]) * scale > 9 * k)
    lines(trace.leaders, away)
    put(trace.sites, away.map(([a]) => a))
    const p = doc.projects
    const near = doc.is_dense ? [] : wallDerive.members(doc, "").filter((i) => p.x[i] !== null && stageAt(doc, i, view.week) && !isFaint(doc, view, i))
    put(trace.projects, near.map((i) => [p.x[i], p.y[i]]))
    const rivers = doc.rivers.filter((r) => r.place)
    put(trace.rivers, rivers.map((r) => r.place), { text: rivers.map((r) => (r.kind === "trunk" ? [...r.name].join("<br>") : r.name)) })
    if (!view.county) names(trace.counties, doc, "title_3")
    return doc.sections.map((s, n) => ({
      kind: "section", index: n, x: places[n][0], y: places[n][1], radius: (s.level === "national" ? 17 : 10) * k,
    }))
  }

  function faded(color, isFaint) {
    return isFaint ? `${color}40` : color
  }

  /** How the stages moved: stacked areas, what is planned dimmed after the day of the data. */
  function time(doc, figures, indexes, k) {
    const figure = scaled(figures.time, k)
    const { weeks, stages } = wallDerive.series(doc, indexes)
    for (const [when, from, to] of [["past", 0, doc.week], ["planned", doc.week, doc.last_week]]) {
      for (const stage of [1, 2, 3]) {
        const trace = figure.trace[`${when}-${stage}`]
        trace.x = weeks.slice(from, to + 1)
        trace.y = stages[stage].slice(from, to + 1)
      }
    }
    const most = Math.max(1, ...weeks.map((w) => stages[1][w] + stages[2][w] + stages[3][w]))
    figure.layout.margin.b *= k
    Object.assign(figure.layout.xaxis, { range: [0, doc.last_week], tickmode: "array", ...quarters(doc), ticklen: 5 * k })
    figure.layout.yaxis.range = [0, most]
    return { data: figure.data, layout: figure.layout, series: stages, most }
  }

  function quarters(doc) {
    const start = Date.parse(doc.week0), ticks = { tickvals: [], ticktext: [] }
    for (let date = new Date(start); ; date.setUTCMonth(date.getUTCMonth() + 1, 1)) {
      const week = (date - start) / (7 * 86400000)
      if (week > doc.last_week - 2) return ticks
      const month = date.getUTCMonth() + 1
      if (month % 3 !== 1 || week < 2) continue
      ticks.tickvals.push(week)
      ticks.ticktext.push(month === 1 ? `${date.getUTCFullYear()}年` : `${month}月`)
    }
  }

  /** One column of buttons per county in the order of `rows`; the unit of y is a pixel. */
  function board(doc, figures, rows, view, width, height) {
    const { k } = view
    const figure = scaled(figures.board, k)
    const { trace, layout } = figure
    const { per, own, places, step } = columns(doc, rows, view, height)
    put(trace.magnets, places, { text: [] })
    wear(trace.magnets, boardLooks(doc, figures, view, own, step))
    const count = Math.max(rows.length, 6)
    layout.xaxis.range = [-0.5, count - 0.5]
    layout.yaxis.range = [0, height]
    const items = own.map((i, n) => ({
      kind: "project", index: i, left: ((places[n][0] + 0.5) * width) / count, top: height - places[n][1], radius: step / 2,
    }))
    return { data: figure.data, layout, items, per, own, step }
  }

  /** Which projects stand where on the board: finished ones below. */
  function columns(doc, rows, view, height) {
    const per = Math.ceil(Math.max(...rows.map((row) => row.count), 1) / 40) // projects a button stands for
    const most = Math.max(4, ...rows.map((row) => Math.ceil(row.count / per)))
    const step = Math.min(17 * view.k, (height - 4 * view.k) / most)
    const places = [], own = []
    rows.forEach((row, column) => {
      const byStage = [...row.own].sort((a, b) => stageAt(doc, b, view.week) - stageAt(doc, a, view.week))
      byStage.filter((_, n) => n % per === 0).forEach((i, n) => { own.push(i); places.push([column, (n + 0.5) * step]) })
    })
    return { per, own, places, step }
  }

  function boardLooks(doc, figures, view, own, step) {
    return looks(doc, figures, view, own, (0.8 * step) / 21, 2 * view.k)
  }

  /** The county whose outline holds a point (km), by its code; null outside all. */
  function countyAt(outlines, x, y) {
    for (const [code, rings] of Object.entries(outlines ?? {})) if (rings.some((ring) => isWithin(ring, x, y))) return code
    return null
  }

  function isWithin(ring, x, y) {
    let inside = false
    for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2) {
      const [xi, yi, xj, yj] = [ring[i], ring[i + 1], ring[j], ring[j + 1]]
      if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside
    }
    return inside
  }

  return { markOf, frame, map, time, board, columns, boardLooks, looks, shown, turn, countyAt }
})()
