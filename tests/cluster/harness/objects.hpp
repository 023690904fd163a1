// The objects that tests create in a cluster, and their paths; used by Cluster and the tests. On any thread.
#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <string>

namespace ksr::clustertest {

using TextMap = std::map<std::string, std::string>;

// Paths of a collection, or of one object in it when a name is given. With an empty namespace: across all namespaces.
std::string pods_path(const std::string& ns, const std::string& name = "");
std::string configmaps_path(const std::string& ns, const std::string& name = "");
std::string events_path(const std::string& ns, const std::string& name = "");  // core/v1
std::string widgets_path(const std::string& ns, const std::string& name = "");
std::string namespaces_path(const std::string& name = "");

boost::json::object make_pod(const std::string& ns, const std::string& name, const TextMap& labels = {});
boost::json::object make_configmap(const std::string& ns, const std::string& name, const TextMap& data = {},
                                   const TextMap& labels = {});
boost::json::object make_event(const std::string& ns, const std::string& name, const std::string& last_timestamp);
boost::json::object make_namespace(const std::string& name);

// widgets.ksr.test/v1, namespaced, kind Widget, short name wd, with an integer spec.size, and the
// subresources status and scale.
boost::json::object make_widget_crd();
boost::json::object make_widget(const std::string& ns, const std::string& name, int size);

// A Role in `ns` that allows get, list and watch of `resource` in `api_group`, and its binding to a user.
boost::json::object make_reader_role(const std::string& ns, const std::string& name, const std::string& api_group,
                                     const std::string& resource);
boost::json::object make_role_binding(const std::string& ns, const std::string& role, const std::string& user);

}  // namespace ksr::clustertest
