#include "archive/store/rados_cluster.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace greffe::store {

RadosPending::RadosPending() : completion_(librados::Rados::aio_create_completion()) {}

RadosPending::~RadosPending() {
  if (completion_) wait();
}

int RadosPending::wait() {
  if (!code_) {
    completion_->wait_for_complete();
    code_ = completion_->get_return_value();
  }
  return *code_;
}

Result<std::unique_ptr<RadosCluster>> RadosCluster::connect(const RadosSettings& settings) {
  std::unique_ptr<RadosCluster> out(new RadosCluster());
  out->pool_ = settings.pool;
  const std::string where = "the Ceph cluster of " + settings.conf_path;
  int code = out->rados_.init2(settings.user.c_str(), "ceph", 0);
  if (code < 0) return error_of_rados(code, "librados cannot be started");
  code = out->rados_.conf_read_file(settings.conf_path.c_str());
  if (code < 0) return fail(Errc::invalid, fmt::format("{} cannot be read as a ceph.conf: {}", settings.conf_path, std::strerror(-code)));
  const std::string timeout_s = std::to_string(settings.operation_timeout_s);
  // The library's own way is to wait for ever, and to notice after 15 s that an OSD does not answer a new client.
  const std::pair<const char*, std::string> options[] = {
      {"rados_osd_op_timeout", timeout_s}, {"rados_mon_op_timeout", timeout_s}, {"client_mount_timeout", timeout_s},
      {"objecter_timeout", "3"},           {"objecter_tick_interval", "1"},     {"log_to_stderr", "false"}};
  for (const auto& [name, value] : options) {
    code = out->rados_.conf_set(name, value.c_str());
    if (code < 0) return error_of_rados(code, fmt::format("librados does not take {} = {}", name, value));
  }
  code = out->rados_.connect();
  if (code < 0) return error_of_rados(code, "cannot connect to " + where);
  for (auto [context, space] : {std::pair(&out->objects_, "objects"), std::pair(&out->logs_, "logs")}) {
    code = out->rados_.ioctx_create(settings.pool.c_str(), *context);
    if (code < 0) return error_of_rados(code, fmt::format("the pool {} of {} cannot be opened", settings.pool, where));
    context->set_namespace(space);
    context->set_pool_full_try();  // a full cluster answers "no space"; else the library waits for room, with the writer's lock too
  }
  return out;
}

Result<Space> RadosCluster::space() {
  librados::cluster_stat_t found{};
  const int code = rados_.cluster_stat(found);
  if (code < 0) return error_of_rados(code, "the Ceph cluster does not say how full it is");
  return Space{found.kb * 1024, found.kb_avail * 1024};
}

Result<std::string> RadosCluster::ask_monitor(const std::string& command) {
  librados::bufferlist answer;
  std::string trouble;
  const int code = rados_.mon_command(command, librados::bufferlist(), &answer, &trouble);
  if (code < 0) return error_of_rados(code, fmt::format("the Ceph monitor answers {} with \"{}\"", command, trouble));
  return answer.to_str();
}

RadosPending send_write(librados::IoCtx& io, const std::string& name, librados::ObjectWriteOperation& operation) {
  RadosPending out;
  const int code = io.aio_operate(name, out.completion(), &operation);
  if (code < 0) out.not_sent(code);
  return out;
}

RadosPending send_read(librados::IoCtx& io, const std::string& name, librados::ObjectReadOperation& operation) {
  RadosPending out;
  const int code = io.aio_operate(name, out.completion(), &operation, LIBRADOS_OPERATION_ORDER_READS_WRITES, nullptr);
  if (code < 0) out.not_sent(code);
  return out;
}

librados::bufferlist to_buffer(std::string_view text) {
  librados::bufferlist out;
  out.append(text.data(), static_cast<unsigned>(text.size()));
  return out;
}

librados::bufferlist to_buffer(ByteView bytes) { return to_buffer(as_text(bytes)); }

Error error_of_rados(int code, std::string_view what) {
  const auto with = [&](Errc kind, std::string_view advice) {
    return fail(kind, fmt::format("{}: {}{}", what, std::strerror(-code), advice));
  };
  switch (-code) {
    case ENOENT: return with(Errc::not_found, "");
    case EEXIST: return with(Errc::already_exists, "");
    case ECANCELED:
    case ERANGE: return with(Errc::conflict, "");
    case ENOSPC:
    case EDQUOT: return with(Errc::no_space, "; add OSDs or raise the pool's quota");
    case EIO: return with(Errc::io_error, "");
    case EPERM:
    case EACCES: return with(Errc::denied, "; look at the user's keyring and caps");
    case ESHUTDOWN: return with(Errc::denied, "; the cluster shut this process out (blocklist): start it again");
    case EINVAL:
    case ENAMETOOLONG:
    case EFBIG:
    case EOPNOTSUPP: return with(Errc::invalid, "");
    default: return with(Errc::unavailable, "");  // a timeout among them: the outcome is unknown
  }
}

}  // namespace greffe::store
