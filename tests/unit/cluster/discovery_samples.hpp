// Discovery documents cut down to what is read of them.
#pragma once

#include <string>

namespace ksr::cluster::testing {

inline const std::string aggregated_core = R"({"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2",
"metadata":{},"items":[{"metadata":{"creationTimestamp":null},"versions":[{"version":"v1","freshness":"Current","resources":[
{"resource":"bindings","responseKind":{"group":"","version":"v1","kind":"Binding"},"scope":"Namespaced","singularResource":"binding","verbs":["create"]},
{"resource":"componentstatuses","responseKind":{"group":"","version":"v1","kind":"ComponentStatus"},"scope":"Cluster","singularResource":"componentstatus","verbs":["get","list"],"shortNames":["cs"]},
{"resource":"events","responseKind":{"group":"","version":"v1","kind":"Event"},"scope":"Namespaced","singularResource":"event","verbs":["list","watch"],"shortNames":["ev"]},
{"resource":"nodes","responseKind":{"group":"","version":"v1","kind":"Node"},"scope":"Cluster","singularResource":"node","verbs":["list","watch"],"shortNames":["no"],"subresources":[{"subresource":"status"}]},
{"resource":"pods","responseKind":{"group":"","version":"v1","kind":"Pod"},"scope":"Namespaced","singularResource":"pod","verbs":["get","list","watch"],"shortNames":["po"],"categories":["all"]}
]}]}]})";

inline const std::string aggregated_groups =
    R"({"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","items":[
{"metadata":{"name":"apps"},"versions":[{"version":"v1","resources":[
{"resource":"deployments","responseKind":{"group":"apps","version":"v1","kind":"Deployment"},"scope":"Namespaced","singularResource":"deployment","verbs":["list","watch"],"shortNames":["deploy"],"categories":["all"]}]},
{"version":"v1beta1","resources":[
{"resource":"deployments","responseKind":{"group":"apps","version":"v1beta1","kind":"Deployment"},"scope":"Namespaced","singularResource":"deployment","verbs":["list","watch"],"shortNames":["deploy"],"categories":["all"]}]}]},
{"metadata":{"name":"events.k8s.io"},"versions":[{"version":"v1","resources":[
{"resource":"events","responseKind":{"kind":"Event"},"scope":"Namespaced","singularResource":"event","verbs":["list","watch"],"shortNames":["ev"]}]}]},
{"metadata":{"name":"networking.k8s.io"},"versions":[{"version":"v1","resources":[
{"resource":"ingresses","responseKind":{"kind":"Ingress"},"scope":"Namespaced","singularResource":"ingress","verbs":["list","watch"],"shortNames":["ing"]}]}]},
{"metadata":{"name":"example.com"},"versions":[{"version":"v1","resources":[
{"resource":"po","responseKind":{"kind":"Po"},"scope":"Cluster","singularResource":"","verbs":["list","watch"]},
{"resource":"../secrets","responseKind":{"kind":"Evil"},"scope":"Cluster","singularResource":"evil","verbs":["list","watch"]}]}]}]})";

inline const std::string old_core = R"({"kind":"APIVersions","versions":["v1"],"serverAddressByClientCIDRs":[]})";
inline const std::string old_groups = R"({"kind":"APIGroupList","apiVersion":"v1","groups":[
{"name":"apps","versions":[{"groupVersion":"apps/v1beta1","version":"v1beta1"},{"groupVersion":"apps/v1","version":"v1"}],"preferredVersion":{"groupVersion":"apps/v1","version":"v1"}},
{"name":"metrics.k8s.io","versions":[{"groupVersion":"metrics.k8s.io/v1beta1","version":"v1beta1"}],"preferredVersion":{"groupVersion":"metrics.k8s.io/v1beta1","version":"v1beta1"}}]})";
inline const std::string old_core_v1 = R"({"kind":"APIResourceList","groupVersion":"v1","resources":[
{"name":"nodes","singularName":"","namespaced":false,"kind":"Node","verbs":["list","watch"],"shortNames":["no"]},
{"name":"pods","singularName":"","namespaced":true,"kind":"Pod","verbs":["list","watch"],"shortNames":["po"]},
{"name":"pods/status","singularName":"","namespaced":true,"kind":"Pod","verbs":["get"]}]})";
inline const std::string old_apps_v1 =
    R"({"kind":"APIResourceList","apiVersion":"v1","groupVersion":"apps/v1","resources":[
{"name":"deployments","singularName":"deployment","namespaced":true,"kind":"Deployment","verbs":["list","watch"],"shortNames":["deploy"],"categories":["all"]}]})";

}  // namespace ksr::cluster::testing
