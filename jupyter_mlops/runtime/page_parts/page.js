"use strict";
const one = (id) => document.getElementById(id);
const told = (answer, status) =>
  answer.problems ? answer.problems.join("\n") : answer.message || "The service answered " + status + ".";

async function call(path, options) {
  const response = await fetch(path, options);
  const text = await response.text();
  const answer = text ? JSON.parse(text) : {};
  if (!response.ok) throw new Error(told(answer, response.status));
  return answer;
}

const post = (path, body) =>
  call(path, { method: "POST", headers: { "Content-Type": "application/json" }, body });

if (one("predict")) {
  one("predict").addEventListener("submit", async (event) => {
    event.preventDefault();
    const shown = one("predictions");
    const button = event.target.querySelector("button");
    button.disabled = true;
    try {
      shown.textContent = JSON.stringify(await post("invocations", one("body").value), null, 2);
      shown.className = "";
    } catch (error) {
      shown.textContent = error.message;
      shown.className = "bad";
    }
    shown.hidden = false;
    button.disabled = false;
  });
}

function value(field) {
  const { type, json, nullable } = field.dataset;
  if (field.type === "checkbox") return field.checked;
  if (field.value === "" && nullable === "true") return null;
  if (json) return field.value === "" ? undefined : JSON.parse(field.value);
  if (type === "str" || type === "path") return field.value;
  if (type === "date" || type === "datetime") return field.value === "" ? undefined : field.value;
  if (type === "int" || type === "float") return field.value === "" ? undefined : Number(field.value);
  try {
    return JSON.parse(field.value);
  } catch {
    throw new Error(field.dataset.name + " is not JSON.");
  }
}

function show(run) {
  one("outcome").hidden = false;
  one("run-state").textContent = run.state;
  const { done, total, label } = run.cells;
  one("run-cells").textContent = total ? done + " of " + total + " cells" + (label ? " · " + label : "") : "";
  one("run-progress").max = total || 1;
  one("run-progress").value = done;
  one("run-metrics").replaceChildren(
    ...Object.entries(run.metrics).map(([name, number]) => {
      const pair = document.createElement("div");
      const term = document.createElement("dt");
      const text = document.createElement("dd");
      term.textContent = name;
      text.textContent = Number(number.toPrecision(6));
      pair.append(term, text);
      return pair;
    })
  );
  const failed = run.error;
  one("run-error").hidden = !failed;
  if (failed) {
    const place = failed.cell ? "Cell " + failed.cell + ": " : "";
    const tail = failed.traceback_tail && failed.traceback_tail.length ? "\n\n" + failed.traceback_tail.join("\n") : "";
    one("run-error").textContent = place + failed.ename + ": " + failed.evalue + tail;
    one("run-error").className = "bad";
  }
  one("run-notebook").hidden = !run.notebook;
  if (run.notebook) one("run-notebook").href = "v1/runs/" + run.id + "/notebook";
}

let current = null;
one("run").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = event.submitter || event.target.querySelector("button");
  button.disabled = true;
  try {
    const parameters = {};
    for (const field of event.target.querySelectorAll("[data-name]")) {
      const given = value(field);
      if (given !== undefined) parameters[field.dataset.name] = given;
    }
    let run = await post("v1/runs", JSON.stringify({ parameters }));
    current = run.id;
    one("cancel").hidden = false;
    show(run);
    while (run.state === "queued" || run.state === "running") {
      run = await call("v1/runs/" + run.id + "?wait=1");
      show(run);
    }
  } catch (error) {
    one("outcome").hidden = false;
    one("run-state").textContent = "";
    one("run-error").hidden = false;
    one("run-error").className = "bad";
    one("run-error").textContent = error.message;
  }
  one("cancel").hidden = true;
  button.disabled = false;
});

one("cancel").addEventListener("click", () => {
  if (current) call("v1/runs/" + current, { method: "DELETE" }).catch(() => {});
});
