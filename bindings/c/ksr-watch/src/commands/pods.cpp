#include "commands/pods.hpp"

#include <algorithm>
#include <tuple>

#include "base/text.hpp"
#include "commands/json_text.hpp"
#include "commands/usage_error.hpp"

namespace ksr::commands {
namespace {

namespace json = boost::json;

constexpr const char* kPods = "v1/pods";

// What the server says of it.
Error refused(const Failure& failure) {
  return {Status::server, line_of(failure)};
}

template <class Take>
void for_each(const json::value& object, std::initializer_list<std::string_view> path, const Take& take) {
  const json::value* list = value_at(object, path);
  if (list == nullptr || !list->is_array()) return;
  for (const json::value& one : list->get_array()) take(one);
}

int port_number(const json::value& port) {
  const json::value* number = value_at(port, {"containerPort"});
  return number != nullptr && number->is_int64() ? static_cast<int>(number->get_int64()) : 0;
}

void add_containers(const json::value& pod, const char* field, PodContainer::Kind kind, PodView& view) {
  for_each(pod, {"spec", field}, [&](const json::value& one) {
    PodContainer container;
    container.kind = kind;
    container.name = text_at(one, {"name"});
    const json::value* tty = value_at(one, {"tty"});
    container.tty = tty != nullptr && tty->is_bool() && tty->get_bool();
    for_each(one, {"ports"}, [&](const json::value& port) {
      container.ports.push_back({text_at(port, {"name"}), port_number(port), text_at(port, {"protocol"})});
    });
    view.containers.push_back(std::move(container));
  });
}

// k8s.io/kubectl/pkg/cmd/util/podcmd, AllContainerNames.
std::string all_names(const PodView& pod) {
  using Kind = PodContainer::Kind;
  constexpr std::pair<Kind, const char*> kKinds[] = {
      {Kind::regular, ""}, {Kind::ephemeral, " (ephem)"}, {Kind::init, " (init)"}};
  std::string names;
  for (const auto& [kind, note] : kKinds) {
    for (const PodContainer& container : pod.containers) {
      if (container.kind == kind) names += (names.empty() ? "" : ", ") + one_line(container.name) + note;
    }
  }
  return names;
}

void add_requirement(std::string& selector, const std::string& requirement) {
  selector += (selector.empty() ? "" : ",") + requirement;
}

void add_labels(const json::value* labels, std::string& selector) {
  if (labels == nullptr || !labels->is_object()) return;
  for (const auto& label : labels->get_object()) {
    if (label.value().is_string()) {
      add_requirement(selector, std::string(label.key()) + "=" + std::string(label.value().get_string()));
    }
  }
}

// apimachinery/pkg/apis/meta/v1, LabelSelectorAsSelector.
void add_expression(const json::value& expression, std::string& selector) {
  const std::string key = text_at(expression, {"key"});
  const std::string operation = text_at(expression, {"operator"});
  std::string values;
  for_each(expression, {"values"}, [&](const json::value& value) {
    if (value.is_string()) values += (values.empty() ? "" : ",") + std::string(value.get_string());
  });
  if (operation == "In") add_requirement(selector, key + " in (" + values + ")");
  if (operation == "NotIn") add_requirement(selector, key + " notin (" + values + ")");
  if (operation == "Exists") add_requirement(selector, key);
  if (operation == "DoesNotExist") add_requirement(selector, "!" + key);
}

// k8s.io/kubectl/pkg/polymorphichelpers, SelectorsForObject: those of a Service and a ReplicationController are plain
// labels.
std::string selector_of(const json::value& object) {
  std::string selector;
  const json::value* spec = value_at(object, {"spec", "selector"});
  if (spec == nullptr) return selector;
  const bool structured =
      value_at(*spec, {"matchLabels"}) != nullptr || value_at(*spec, {"matchExpressions"}) != nullptr;
  if (!structured) {
    add_labels(spec, selector);
    return selector;
  }
  add_labels(value_at(*spec, {"matchLabels"}), selector);
  for_each(*spec, {"matchExpressions"}, [&](const json::value& one) { add_expression(one, selector); });
  return selector;
}

bool names_pods(const std::string& type) {
  return type == "pod" || type == "pods" || type == "po";
}

}  // namespace

const PodContainer* PodView::find(const std::string& container) const {
  const auto is_it = [&](const PodContainer& one) { return one.name == container; };
  const auto found = std::find_if(containers.begin(), containers.end(), is_it);
  return found == containers.end() ? nullptr : &*found;
}

PodView read_pod(const json::value& pod) {
  PodView view;
  view.name = text_at(pod, {"metadata", "name"});
  view.uid = text_at(pod, {"metadata", "uid"});
  view.created = text_at(pod, {"metadata", "creationTimestamp"});
  view.phase = text_at(pod, {"status", "phase"});
  view.deleting = value_at(pod, {"metadata", "deletionTimestamp"}) != nullptr;
  for_each(pod, {"status", "conditions"}, [&](const json::value& condition) {
    view.ready = view.ready || (text_at(condition, {"type"}) == "Ready" && text_at(condition, {"status"}) == "True");
  });
  add_containers(pod, "initContainers", PodContainer::Kind::init, view);
  add_containers(pod, "containers", PodContainer::Kind::regular, view);
  add_containers(pod, "ephemeralContainers", PodContainer::Kind::ephemeral, view);
  view.default_container = text_at(pod, {"metadata", "annotations", "kubectl.kubernetes.io/default-container"});
  if (view.find(view.default_container) == nullptr) view.default_container.clear();
  return view;
}

const PodView* best_of(const std::vector<PodView>& pods) {
  const PodView* best = nullptr;
  const auto order = [](const PodView& pod) { return std::make_tuple(!pod.ready, pod.created, pod.name); };
  for (const PodView& pod : pods) {
    if (pod.runs() && (best == nullptr || order(pod) < order(*best))) best = &pod;
  }
  return best;
}

// k8s.io/kubectl/pkg/cmd/util/podcmd, FindOrDefaultContainerByName.
Expected<std::string> choose_container(const PodView& pod, const std::string& asked, bool quiet, Report& report) {
  if (!asked.empty()) {
    if (pod.find(asked) != nullptr) return asked;
    return usage_error("container " + one_line(asked) + " not found in pod " + one_line(pod.name));
  }
  if (!pod.default_container.empty()) return pod.default_container;
  const auto is_regular = [](const PodContainer& one) { return one.kind == PodContainer::Kind::regular; };
  const auto first = std::find_if(pod.containers.begin(), pod.containers.end(), is_regular);
  if (first == pod.containers.end()) return usage_error("pod " + one_line(pod.name) + " does not have any containers");
  if (!quiet && pod.containers.size() > 1) {
    report.note("Defaulted container " + in_quotes(first->name) + " out of: " + all_names(pod));
  }
  return first->name;
}

std::string pods_namespace(const Session& session) {
  return session.given_namespace().empty() ? "@context" : session.given_namespace();
}

Expected<PodsOf> find_pods_of(Session& session, const std::string& word) {
  PodsOf of;
  const std::size_t slash = word.find('/');
  const std::string type = slash == std::string::npos ? "pod" : word.substr(0, slash);
  const std::string name = slash == std::string::npos ? word : word.substr(slash + 1);
  if (type.empty() || name.empty() || name.find('/') != std::string::npos) {
    return usage_error("expected POD or TYPE/NAME in place of " + in_quotes(word));
  }
  of.shown = "pod/" + name;
  of.pod = name;
  if (names_pods(type)) return of;
  Expected<cluster::Resource> resource = session.find_resource(type);
  if (!resource) return resource.error();
  if (resource->plural == "pods" && group_of(*resource).empty()) return of;
  const Target target{*std::move(resource), name, ""};
  Answer answer = session.client().call_for_object(session.request("get", target));
  if (answer.failed()) return refused(answer.failure());
  of.shown = kind_prefix(target.resource) + "/" + name;
  of.pod.clear();
  of.selector = selector_of(answer.object());
  if (of.selector.empty()) return usage_error(one_line(of.shown) + " has no selector of pods");
  if (target.resource.kind == "Service") of.service = std::move(answer.object());
  return of;
}

Expected<std::optional<PodView>> fetch_pod(Session& session, const std::string& name) {
  const Answer answer = session.client().call_for_object(
      {{{"verb", "get"}, {"resource", kPods}, {"namespace", pods_namespace(session)}, {"name", name}}, ""});
  if (answer.failed()) {
    if (answer.failure().code == KSR_E_FORBIDDEN) return std::optional<PodView>();
    return refused(answer.failure());
  }
  return std::optional<PodView>(read_pod(answer.object()));
}

Expected<std::vector<PodView>> list_pods(Session& session, const std::string& selector) {
  const Answer answer = session.client().call_for_object(
      {{{"verb", "list"}, {"resource", kPods}, {"namespace", pods_namespace(session)}, {"label_selector", selector}},
       ""});
  if (answer.failed()) return refused(answer.failure());
  std::vector<PodView> pods;
  for_each(answer.object(), {"items"}, [&](const json::value& pod) { pods.push_back(read_pod(pod)); });
  return pods;
}

Expected<ChosenPod> choose_running_pod(Session& session, const std::string& word) {
  const Arguments& arguments = session.arguments();
  const std::string asked = arguments.text("--container");
  Expected<PodsOf> of = find_pods_of(session, word);
  if (!of) return of.error();
  ChosenPod chosen;
  if (of->selector.empty()) {
    chosen.name = of->pod;
    Expected<std::optional<PodView>> pod = fetch_pod(session, of->pod);
    if (!pod) return pod.error();
    chosen.view = *std::move(pod);
  } else {
    const Expected<std::vector<PodView>> pods = list_pods(session, of->selector);
    if (!pods) return pods.error();
    const PodView* best = best_of(*pods);
    if (best == nullptr) return usage_error("none of the pods of " + one_line(of->shown) + " is running");
    chosen.name = best->name;
    chosen.view = *best;
  }
  chosen.container = asked;
  if (!chosen.view) return chosen;
  const std::string& phase = chosen.view->phase;
  if (phase == "Succeeded" || phase == "Failed") {
    return usage_error("the pod " + one_line(chosen.name) + " is over; its phase is " + phase);
  }
  Expected<std::string> container = choose_container(*chosen.view, asked, arguments.flag("--quiet"), session.report());
  if (!container) return container.error();
  chosen.container = *std::move(container);
  return chosen;
}

}  // namespace ksr::commands
