/* What the figure of the lesson's labels says about its state. Designs are compared with leverage, and by a threshold. */

const CLEAR = 2; // less than this many times as far off is no clear difference
const COUNTS =
  "no one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty".split(" ");
const AT = { mine: "at your places", equal: "at equally spaced places", random: "at random places", leverage: "at places chosen by leverage" };
const ALSO = { mine: "at yours", equal: "at equally spaced ones", random: "at random ones", leverage: "at those chosen by leverage" };

const capital = (text) => text[0].toUpperCase() + text.slice(1);
const plural = (count, noun) => `${COUNTS[count]} ${noun}${count === 1 ? "" : "s"}`;

/* A distance on the y axis. */
function distance(value) {
  if (value >= 100) return number(value, 2);
  return fixed(value, value < 9.995 ? 2 : 0);
}

function sentence(figure) {
  const { step, design, x, labels, degree } = figure;
  if (x.length === 0) return `${capital(plural(labels, "label"))} to buy, one hidden curve to find. Where would you measure?`;
  if (step === 2) return `${capital(plural(x.length, "label"))}, degree ${degree}: ${verdict(figure)}`;
  if (step === 1) return `${capital(plural(x.length, "label"))} bought. ${forecast(figure)}`;
  const some = design === "mine" && x.length < labels ? `${COUNTS[x.length]} of ${plural(labels, "place")}` : plural(x.length, "place");
  return `${capital(some)} chosen, nothing measured yet. ${forecast(figure)}`;
}

/* What is known of the fit without a label: its variance depends on the places alone. */
function forecast(figure) {
  if (figure.fit.rank <= figure.degree) return tooFew(figure);
  const far = `by up to ±${distance(figure.widest.half)} (95%), most at x = ${fixed(figure.widest.place, 2)}`;
  if (figure.step === 1) return `Noise may have moved the fit ${far}. What else it misses, no band can say.`;
  return `Yet it is already known how far noise can move the fit: ${far}.`;
}

function tooFew({ fit, degree }) {
  const coefficients = plural(degree + 1, "coefficient");
  return `${capital(plural(fit.rank, "different place"))} cannot settle the ${coefficients} of degree ${degree}: between them the fit is a guess.`;
}

function verdict(figure) {
  const { design, errors, fit, degree } = figure;
  const told = design === "leverage" ? besideAll(errors) : besideLeverage(design, errors);
  return [told, ...(fit.rank <= degree ? [tooFew(figure)] : []), ...usual(figure)].join(" ");
}

function besideLeverage(design, errors) {
  const [own, best] = [errors[design].largest, errors.leverage.largest];
  return `${AT[design]} the fit is off by up to ${distance(own)}, ${ALSO.leverage} by ${distance(best)}: ${compared(own / best)}.`;
}

function compared(ratio) {
  const times = (value) => `${value < 10 ? number(value, 2) : number(Math.round(value), 2)} times`;
  if (ratio >= CLEAR) return `${times(ratio)} as far`;
  if (ratio <= 1 / CLEAR) return `${times(1 / ratio)} nearer than leverage`;
  return "no clear difference";
}

function besideAll(errors) {
  const best = errors.leverage.largest;
  const others = ["mine", "equal", "random"].filter((name) => errors[name]);
  const each = others.map((name) => `${ALSO[name]} by ${distance(errors[name].largest)}`);
  const near = others.filter((name) => errors[name].largest > best / CLEAR && errors[name].largest < CLEAR * best);
  const nearer = others.filter((name) => errors[name].largest <= best / CLEAR);
  return [
    `${AT.leverage} the fit is off by up to ${distance(best)}, ${each.join(", ")}.`,
    ...(near.length > 0 ? [`${capital(near.map((name) => ALSO[name]).join(" and "))} the difference is not clear.`] : []),
    ...(nearer.length > 0 ? [`${capital(nearer.map((name) => ALSO[name]).join(" and "))} it is clearly nearer.`] : []),
  ].join(" ");
}

/* A draw is one of many: what half of them do. */
function usual({ design, draws, usualErrors }) {
  if (design === "random") return [`Half of ${DRAWS} random draws are off by more than ${distance(usualErrors.random)}.`];
  if (design === "leverage" && draws.leverage > 0) {
    return [`Drawn one by one; half of ${DRAWS} such draws are off by more than ${distance(usualErrors.leverage)}.`];
  }
  return [];
}

/* The small print under the picture: of the fit, and of the chosen place. */
function details({ step, errors, design, draws, chosen, x, fit, degree }) {
  const { largest, place, meanSquare } = errors?.[design] ?? {};
  const off = `Off by up to ${distance(largest)}, at x = ${fixed(place, 2)}; root mean square ${distance(Math.sqrt(meanSquare))}.`;
  const own = () => `Place ${chosen + 1}: x = ${fixed(x[chosen], 2)}, leverage among the ${COUNTS[x.length]} ${share(leverageAt(fit, features(x[chosen], degree)))}.`;
  return [
    ...(design === "leverage" && draws.leverage === 0 ? [`Each place is the middle of one of ${COUNTS[x.length]} equal shares of the leverage.`] : []),
    ...(step === 1 && design === "mine" ? ["Bought is bought: a place can be moved again once the curve is known."] : []),
    ...(step === 2 && x.length > 0 ? [off] : []),
    ...(chosen >= 0 ? [own()] : []),
  ].join(" ");
}

/* The design that has not yet chosen since the curve is known. */
const waiting = ({ seen }) => ["equal", "random", "leverage"].find((name) => !seen.has(name));

/* What the one inviting button does next. */
function invitation(figure) {
  const { design, step, x, labels } = figure;
  const missing = labels - x.length;
  if (design === "mine" && missing === labels) return `Place your ${plural(labels, "label")}`;
  if (design === "mine" && missing > 0) return `Place the other ${missing === 1 ? "one" : COUNTS[missing]}`;
  if (step < 2) return ["Buy the labels", "Reveal the curve"][step];
  return { equal: "Now equally spaced", random: "Now at random", leverage: "Now by leverage" }[waiting(figure)] ?? "Start again";
}
