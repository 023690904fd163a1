#include "commands/help.hpp"

namespace ksr::commands {
namespace {

constexpr const char* kProgram =
    "Usage: ksr COMMAND [ARGUMENT]... [OPTION]...\n"
    "Reads and changes the objects of a Kubernetes cluster, and reaches into its containers; its commands are those "
    "of\n"
    "kubectl.\n"
    "\n"
    "Commands\n"
    "  get      show objects\n"
    "  create   create objects that files describe\n"
    "  apply    make objects what files describe (server-side apply)\n"
    "  delete   delete objects\n"
    "  patch    change fields of an object\n"
    "  raw      send any request\n"
    "  can-i    ask what you are allowed to do\n"
    "  watch    show objects as they change, as ksr-watch does\n"
    "  wait     wait until something is true of objects\n"
    "  logs     show what containers have written, or follow it\n"
    "  exec     run a command in a container\n"
    "  attach   pass on the standard streams of what runs in a container\n"
    "  port-forward  pass connections to ports of this machine on to a pod\n"
    "\n"
    "Options of all commands\n"
    "  -n, --namespace NS              without it, the namespace of the kubeconfig's context\n"
    "      --kubeconfig FILE           instead of $KUBECONFIG or ~/.kube/config\n"
    "      --context NAME              a context of the kubeconfig; without it, its current one\n"
    "  -s, --server URL                the API server, such as https://10.0.0.1:6443, for that of the context\n"
    "      --token TOKEN               bearer token; --token-file FILE keeps it off the command line\n"
    "      --as USER, --as-uid UID, --as-group GROUP, --as-user-extra KEY=VALUE\n"
    "                                  act as this user, as a member of these groups\n"
    "      --username NAME, --password PASSWORD\n"
    "      --certificate-authority FILE, --tls-server-name NAME, --insecure-skip-tls-verify\n"
    "                                  how the server is verified\n"
    "      --client-certificate FILE, --client-key FILE\n"
    "      --request-timeout TIME      of each request with its retries, such as 10s; 30s without it, 0: none; of raw\n"
    "                                  with GET until all of the body has come, without it until that begins; of "
    "watch\n"
    "                                  and get -w until a response begins\n"
    "      --set KEY=VALUE             any other key of libksr's configuration, or of the requests or channels of the\n"
    "                                  command, such as retries=never or exec_protocol=v4; as often as needed\n"
    "      --log                       what the library does, on standard error\n"
    "      --version                   versions of ksr and libksr\n"
    "  -h, --help                      this text, or that of a command\n"
    "\n"
    "Exit status: 0 done, 1 an error, or the answer no of can-i; of exec that of the command, 255 where it is not "
    "known.\n";

constexpr const char* kGet =
    "Usage: ksr get TYPE[,TYPE]... [NAME]... [OPTION]...\n"
    "       ksr get TYPE/NAME... [OPTION]...\n"
    "       ksr get -f FILE... [OPTION]...\n"
    "Shows objects. TYPE is a name such as pods, deploy or ingresses.networking.k8s.io.\n"
    "\n"
    "  -o, --output FORMAT         table (the default), wide, json, yaml or name\n"
    "  -A, --all-namespaces        every namespace, which the table then names\n"
    "  -l, --selector SEL          only what these labels select, such as app=web,tier!=cache\n"
    "      --field-selector SEL    only what these fields select, such as spec.nodeName=node-1\n"
    "  -f, --filename FILE         the objects that a file, a directory or standard input (-) names\n"
    "  -R, --recursive             the directories below too\n"
    "      --ignore-not-found      a name that is not there is no error\n"
    "      --subresource NAME      such as status or scale, of a named object\n"
    "      --no-headers            the table without its titles\n"
    "      --show-kind             names with their kind, such as pod/web\n"
    "      --show-labels           all labels as the last column\n"
    "  -L, --label-columns NAME    the values of these labels as columns\n"
    "      --sort-by PATH          by the value at a path such as '{.spec.nodeName}', or at a JSON pointer\n"
    "      --show-managed-fields   with json and yaml: metadata.managedFields too\n"
    "      --chunk-size N          lists are asked for in pieces of so many objects, 500; 0: in one\n"
    "      --raw PATH              as ksr raw PATH\n"
    "  -w, --watch                 all rows, then one for each change, of a single type; with the formats of ksr "
    "watch\n"
    "                              and its options --once, --seconds, --limit, --columns and --transport\n";

constexpr const char* kWriteOptions =
    "  -f, --filename FILE         YAML, with several documents, or JSON; a directory; - for standard input\n"
    "  -R, --recursive             the directories below too\n"
    "  -o, --output FORMAT         json, yaml or name instead of a line for each object\n"
    "      --dry-run=server        checked by the server, not stored\n"
    "      --validate=HOW          of unknown fields: strict (the default), warn or ignore\n"
    "      --field-manager NAME    who changes the fields; ksr without it\n"
    "      --show-managed-fields   with json and yaml: metadata.managedFields too\n";

constexpr const char* kDelete =
    "Usage: ksr delete TYPE[,TYPE]... NAME... [OPTION]...\n"
    "       ksr delete TYPE/NAME... [OPTION]...\n"
    "       ksr delete TYPE {-l SEL | --field-selector SEL | --all} [OPTION]...\n"
    "       ksr delete -f FILE... [OPTION]...\n"
    "Deletes objects and waits until they are gone.\n"
    "\n"
    "  -l, --selector SEL          what these labels select\n"
    "      --field-selector SEL    what these fields select\n"
    "      --all                   all of the namespace\n"
    "  -A, --all-namespaces        with a selector or --all: in every namespace\n"
    "  -f, --filename FILE         the objects that a file, a directory or standard input (-) names\n"
    "  -R, --recursive             the directories below too\n"
    "      --ignore-not-found      what is not there is no error; so with a selector and --all\n"
    "      --cascade=HOW           of what belongs to the object: background (the default), foreground or orphan\n"
    "      --grace-period N        seconds that the object has to end in\n"
    "      --now                   one second\n"
    "      --force                 none: does not wait for what runs to end\n"
    "      --wait=false            does not wait until the objects are gone\n"
    "      --timeout TIME          how long to wait for each object; without it, without limit\n"
    "      --dry-run=server        checked by the server, not done\n"
    "  -o, --output name           names alone\n";

constexpr const char* kPatch =
    "Usage: ksr patch TYPE NAME... {-p PATCH | --patch-file FILE} [OPTION]...\n"
    "       ksr patch {TYPE/NAME... | -f FILE...} {-p PATCH | --patch-file FILE} [OPTION]...\n"
    "Changes fields of objects.\n"
    "\n"
    "  -p, --patch PATCH           YAML or JSON\n"
    "      --patch-file FILE       the same in a file; - for standard input\n"
    "      --type TYPE             strategic (the default; not for custom resources), merge or json\n"
    "      --subresource NAME      such as status or scale\n"
    "  -f, --filename FILE         the objects that a file names\n"
    "  -R, --recursive             the directories below too\n"
    "  -o, --output FORMAT         json, yaml or name instead of a line for each object\n"
    "      --dry-run=server        checked by the server, not stored\n"
    "      --field-manager NAME    who changes the fields; ksr without it\n"
    "      --show-managed-fields   with json and yaml: metadata.managedFields too\n";

constexpr const char* kRaw =
    "Usage: ksr raw PATH [OPTION]...\n"
    "Sends a request to any path of the server and writes the body of the answer, of GET as it comes.\n"
    "\n"
    "  -X, --method METHOD         GET (the default), HEAD, OPTIONS, POST, PUT, PATCH or DELETE\n"
    "  -f, --filename FILE         the body, JSON or YAML; - for standard input\n";

constexpr const char* kCanI =
    "Usage: ksr can-i VERB {TYPE | TYPE/NAME | PATH} [OPTION]...\n"
    "Says yes or no: whether the server would allow it. Exit status 1 for no.\n"
    "\n"
    "  -A, --all-namespaces        in every namespace\n"
    "      --subresource NAME      such as log or scale\n"
    "  -q, --quiet                 nothing but the exit status\n";

constexpr const char* kLogs =
    "Usage: ksr logs {POD | TYPE/NAME} [-c CONTAINER] [OPTION]...\n"
    "       ksr logs -l SEL [OPTION]...\n"
    "Shows what containers have written. After a failure it goes on where it was: no line is lost or shown twice, or "
    "a\n"
    "warning says where some are missing.\n"
    "\n"
    "  -f, --follow                goes on as more is written; with -l in pods that come later too\n"
    "  -c, --container NAME        without it, the pod's default container\n"
    "      --all-containers        all containers of each pod\n"
    "  -l, --selector SEL          of the pods that these labels select; each line with its pod, the last 10 of each\n"
    "      --prefix                each line with its pod and container; --prefix=false: without\n"
    "  -p, --previous              of the container's instance before this one\n"
    "      --tail N                the last N lines; -1: all\n"
    "      --since TIME            of the last TIME, such as 5m or 1h30m\n"
    "      --since-time TIME       since then, such as 2026-01-02T03:04:05Z\n"
    "      --limit-bytes N         ends after so many bytes of each log\n"
    "      --timestamps            each line with its time\n"
    "      --follow-restarts       goes on with the container's next instance; on with -l\n"
    "      --insecure-skip-tls-verify-backend\n"
    "                              the kubelet's certificate is not verified by the server\n";

constexpr const char* kExec =
    "Usage: ksr exec {POD | TYPE/NAME} [-i] [-t] [-c CONTAINER] -- COMMAND [ARGUMENT]...\n"
    "Runs a command in a container, and ends with its exit code.\n"
    "\n"
    "  -i, --stdin                 passes standard input on\n"
    "  -t, --tty                   the command gets a terminal; with -i, where standard input is one\n"
    "  -c, --container NAME        without it, the pod's default container\n"
    "  -q, --quiet                 the command's output alone\n"
    "\n"
    "Exit status: that of the command; 255 where there is none or it is not known, after a line that says why.\n";

constexpr const char* kAttach =
    "Usage: ksr attach {POD | TYPE/NAME} [-i] [-t] [-c CONTAINER]\n"
    "Passes on the standard streams of what runs in a container.\n"
    "\n"
    "  -i, --stdin                 passes standard input on\n"
    "  -t, --tty                   as a terminal; with -i, where standard input and the container have one\n"
    "  -c, --container NAME        without it, the pod's default container\n"
    "  -q, --quiet                 the container's output alone\n"
    "\n"
    "Exit status: 0 when it has ended in order, else 255.\n";

constexpr const char* kPortForward =
    "Usage: ksr port-forward {POD | TYPE/NAME} [LOCAL:]REMOTE... [OPTION]...\n"
    "Passes connections to ports of this machine on to a pod until it is interrupted. Of a deployment, a service and "
    "so\n"
    "on each connection goes to a pod that runs then.\n"
    "\n"
    "  REMOTE                      a port of the pod, or of the service; a number or a name\n"
    "  LOCAL                       the port of this machine; REMOTE without it; :REMOTE: any that is free\n"
    "      --address ADDRESS,...   of this machine: localhost (the default: 127.0.0.1 and ::1), or IP addresses\n"
    "      --pod-running-timeout TIME\n"
    "                              how long a pod that runs is waited for, 1m\n";

constexpr const char* kWait =
    "Usage: ksr wait {TYPE/NAME... | TYPE NAME... | -f FILE...} --for=CONDITION [OPTION]...\n"
    "       ksr wait TYPE[,TYPE]... {-l SEL | --field-selector SEL | --all} --for=CONDITION [OPTION]...\n"
    "Waits until a condition is met by each object. Several of them have to be met one after the other.\n"
    "\n"
    "      --for=create            it is there; waited for before the others\n"
    "      --for=delete            it is gone\n"
    "      --for=condition=NAME[=VALUE]\n"
    "                              its condition of this name is true, or has this value\n"
    "      --for=POINTER[=VALUE]   what a JSON pointer such as /status/phase names is there, or has this value\n"
    "      --for=jsonpath=PATH[=VALUE]\n"
    "                              the same of a path such as '{.status.phase}'\n"
    "      --timeout TIME          how long to wait for all of it, 30s; 0: look once; negative: a week\n"
    "  -A, --all-namespaces        with a selector or --all: in every namespace\n"
    "  -l, --selector SEL          what these labels select\n"
    "      --field-selector SEL    what these fields select\n"
    "      --all                   all of the namespace\n"
    "  -f, --filename FILE         the objects that a file, a directory or standard input (-) names\n"
    "  -R, --recursive             the directories below too\n"
    "  -o, --output FORMAT         json, yaml or name instead of a line for each object\n"
    "      --show-managed-fields   with json and yaml: metadata.managedFields too\n";

}  // namespace

std::string help_of(Command command) {
  switch (command) {
    case Command::get:
      return kGet;
    case Command::create:
      return std::string("Usage: ksr create -f FILE... [OPTION]...\nCreates objects.\n\n") + kWriteOptions;
    case Command::apply:
      return std::string(
                 "Usage: ksr apply -f FILE... [OPTION]...\n"
                 "Makes objects what files describe, by server-side apply; others' fields stay as they are.\n\n") +
             kWriteOptions +
             "      --force-conflicts       takes over the fields that other managers have\n"
             "      --subresource NAME      such as status\n";
    case Command::remove:
      return kDelete;
    case Command::patch:
      return kPatch;
    case Command::raw:
      return kRaw;
    case Command::can_i:
      return kCanI;
    case Command::logs:
      return kLogs;
    case Command::wait:
      return kWait;
    case Command::exec:
      return kExec;
    case Command::attach:
      return kAttach;
    case Command::port_forward:
      return kPortForward;
    case Command::none:
    case Command::watch:
      break;
  }
  return kProgram;
}

}  // namespace ksr::commands
