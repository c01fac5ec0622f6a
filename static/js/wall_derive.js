/* What the wall shows, derived from the data document: pure functions over its columns, no page and no drawing. */
"use strict"

const wallDerive = (() => {
  const RISK_WORDS = { normal: "正常", behind: "滞后", far_behind: "严重滞后", unreported: "未报" }
  const STAGE_WORDS = { 1: "前期", 2: "开工", 3: "完工" }
  const ROMAN = { 1: "I", 2: "II", 3: "III", 4: "IV", 5: "V", 6: "劣V", 0: "–" }
  const DAY = 86400000

  /** Stage of project `i` at the end of `week`: 0 not on the list, 1 前期, 2 开工, 3 完工. After the day's week: as planned. */
  function stageAt(doc, i, week) {
    const p = doc.projects
    return p.listed_week[i] > week || (p.delisted_week[i] ?? Infinity) <= week ? 0 : reachedAt(doc, i, week)
  }

  /** The same, whether or not it was on the list. */
  function reachedAt(doc, i, week) {
    const p = doc.projects
    if (reached(doc, p.finish_week[i], p.forecast_finish_week[i], p.planned_finish_week[i], week)) return 3
    if (reached(doc, p.start_week[i], p.forecast_start_week[i], p.planned_start_week[i], week)) return 2
    return 1
  }

  /** A fact counts from its week; a plan only in the future, and not when its date has passed without the fact. */
  function reached(doc, fact, forecast, planned, week) {
    if (fact !== null) return fact <= week
    if (week <= doc.week) return false
    const expected = forecast ?? planned
    return expected !== null && expected > doc.week && expected <= week
  }

  /** Indexes of the projects of `county` (a name), of all counties when it is empty. */
  function members(doc, county) {
    if (doc.is_dense) return wallDensity.members(doc, county)
    const all = [...doc.projects.code.keys()]
    return county ? all.filter((i) => doc.projects.county[i] === county) : all
  }

  /** Counts and money of `indexes` at the end of `week`, and how many changed in it. */
  function counts(doc, indexes, week) {
    if (doc.is_dense) return wallDensity.counts(doc, indexes, week)
    const sum = { total: 0, not_started: 0, under_construction: 0, finished: 0, investment: 0, finished_investment: 0, started_now: 0, finished_now: 0 }
    const names = [null, "not_started", "under_construction", "finished"]
    for (const i of indexes) {
      const stage = stageAt(doc, i, week)
      if (!stage) continue
      sum.total += 1
      sum[names[stage]] += 1
      sum.investment += doc.projects.investment[i]
      if (stage === 3) sum.finished_investment += doc.projects.investment[i]
      if (hasChanged(doc, i, week)) {
        if (stage === 3) sum.finished_now += 1
        else if (stage === 2) sum.started_now += 1
      }
    }
    return sum
  }

  /** Whether it is in another stage than the week before, when it was on the list too, if only with another county. */
  function hasChanged(doc, i, week) {
    const stage = stageAt(doc, i, week)
    return stage > 0 && doc.projects.joined_week[i] < week && reachedAt(doc, i, week - 1) !== stage
  }

  /** How far behind plan project `i` is on the day of the data: a key of the figures' `lags`. */
  function lagOf(doc, i) {
    const { lag, completed_on: done } = doc.projects, [behind, far] = doc.lag_points
    if (done[i]) return "finished"
    if (lag[i] === null) return "unreported"
    return lag[i] > far ? "far_behind" : lag[i] >= behind ? "behind" : lag[i] > 0 ? "some" : "ahead"
  }

  /** The week that the day (YYYY-MM-DD) lies in; null when it is none. */
  function weekOf(doc, day) {
    const week = Math.floor((Date.parse(day) - Date.parse(doc.week0)) / (7 * DAY))
    return week >= 0 && week <= doc.last_week ? week : null
  }

  /** Counts by week over the whole slider, for the area chart. */
  function series(doc, indexes) {
    if (doc.is_dense) return wallDensity.series(doc, indexes)
    const weeks = [...Array(doc.last_week + 1).keys()]
    const stages = { 1: [], 2: [], 3: [] }
    for (const week of weeks) {
      const sum = counts(doc, indexes, week)
      stages[1].push(sum.not_started)
      stages[2].push(sum.under_construction)
      stages[3].push(sum.finished)
    }
    return { weeks, stages }
  }

  /** The day that `week` is shown for: its Sunday, in the running week the day of the data. */
  function dayOf(doc, week) {
    if (week === doc.week) return doc.as_of
    return iso(new Date(Date.parse(doc.week0) + (week * 7 + 6) * DAY))
  }

  function iso(date) {
    return date.toISOString().slice(0, 10)
  }

  /** Counties with projects, best completion rate first; equal ones keep the order of the pack. */
  function board(doc, week) {
    const rows = (doc.is_dense ? wallDensity.board(doc, week) : doc.counties.name.map((name, position) => {
      const own = members(doc, name).filter((i) => stageAt(doc, i, week))
      const stages = own.map((i) => stageAt(doc, i, week))
      const finished = stages.filter((s) => s === 3).length
      return { name, short: doc.counties.short[position], position, own, finished, count: own.length }
    })).filter((row) => row.count)
    const rate = (row) => row.finished / row.count
    return rows.sort((a, b) => rate(b) - rate(a) || b.count - a.count || a.position - b.position)
  }

  /** A section's class at `week`: the latest month published by then. `{class, month}`, class null = not assessed. */
  function sectionAt(doc, section, week) {
    if (week >= doc.week) return { class: section.class, month: section.month }
    let found = { class: null, month: null }
    for (const [published, month, cls] of section.history) if (published <= week) found = { class: cls, month }
    return found
  }

  /** The class of the month before `month`, null when it is not known. */
  function monthBefore(section, month) {
    if (!month) return null
    const [year, number] = month.split("-").map(Number)
    const before = number === 1 ? `${year - 1}-12` : `${year}-${String(number - 1).padStart(2, "0")}`
    return section.history.filter(([, name]) => name === before).at(-1)?.[2] ?? null
  }

  /** n good of m evaluated national sections at `week`, with the month. */
  function water(doc, week) {
    const states = doc.sections.filter((s) => s.level === "national").map((s) => sectionAt(doc, s, week))
    const month = states.map((s) => s.month).filter(Boolean).sort().at(-1) ?? null
    const classes = states.map((s) => (s.month === month ? s.class ?? 0 : 0)) // an older class is none of this month's
    const evaluated = classes.filter(Boolean)
    return { good: evaluated.filter((c) => c <= 3).length, evaluated: evaluated.length, month, classes }
  }

  return { STAGE_WORDS, RISK_WORDS, ROMAN, stageAt, members, counts, hasChanged, series, dayOf, weekOf, lagOf, board, sectionAt, monthBefore, water }
})()
