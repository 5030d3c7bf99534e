#include "archive/store/rados_bytes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <optional>

namespace greffe::store {
namespace {

bool is_log_file(std::string_view key) { return key.starts_with("log/"); }

}  // namespace

librados::IoCtx& RadosBytes::home_of(std::string_view key) {
  return key.starts_with("sha256/") ? cluster_.objects() : cluster_.logs();
}

// The library shares the memory instead of copying it, and keeps it for as long as it likes.
class RadosBytes::SharedUpload : public Upload {
 public:
  SharedUpload(RadosBytes& bytes, std::size_t size) : bytes_(bytes), memory_(ceph::buffer::create_aligned(static_cast<unsigned>(size), kPage)) {}
  std::span<std::uint8_t> room() override { return {reinterpret_cast<std::uint8_t*>(memory_.c_str()), memory_.length()}; }
  Result<Created> create(std::string_view key, std::size_t bytes) override {
    librados::bufferlist shared;
    shared.append(memory_, 0, static_cast<unsigned>(bytes));
    return bytes_.create_from(key, shared);
  }

 private:
  static constexpr unsigned kPage = 4096;
  RadosBytes& bytes_;
  ceph::buffer::ptr memory_;
};

std::unique_ptr<Upload> RadosBytes::begin(std::size_t size) { return std::make_unique<SharedUpload>(*this, size); }

Result<Created> RadosBytes::create(std::string_view key, ByteView bytes) { return create_from(key, to_buffer(bytes)); }

Result<Created> RadosBytes::create_from(std::string_view key_text, const librados::bufferlist& buffer) {
  const std::string key(key_text);
  std::optional<RadosPending> name;
  if (is_log_file(key)) name.emplace(GREFFE_TRY(index_.add(key)));
  librados::ObjectWriteOperation operation;
  operation.create(true);  // exclusive
  operation.write_full(buffer);
  const int code = send_write(home_of(key), key, operation).wait();
  const int name_code = name ? name->wait() : 0;
  if (name_code < 0) {
    // Without its name the file does not count yet, whatever became of it: the same call again completes it.
    return fail(Errc::unavailable, error_of_rados(name_code, "the name of " + key + " cannot be noted").message);
  }
  if (code >= 0) return Created::now;
  if (code == -EEXIST) return Created::before;
  return error_of_rados(code, key + " cannot be written");
}

Result<Bytes> RadosBytes::read(std::string_view key_text, std::uint64_t limit) {
  const std::string key(key_text);
  librados::bufferlist data;
  int code_of_read = 0;
  librados::ObjectReadOperation operation;
  operation.read(0, limit + 1, &data, &code_of_read);
  const int code = send_read(home_of(key), key, operation).wait();
  if (code < 0) return error_of_rados(code, key + " cannot be read");
  if (data.length() > limit) return fail(Errc::invalid, fmt::format("{} is larger than {} bytes", key, limit));
  Bytes out(data.length());
  if (!out.empty()) data.begin().copy(static_cast<unsigned>(out.size()), reinterpret_cast<char*>(out.data()));
  return out;
}

Result<std::size_t> RadosBytes::read_at(std::string_view key_text, std::uint64_t offset, std::span<std::uint8_t> out) {
  const std::string key(key_text);
  librados::bufferlist data;
  int code_of_read = 0;
  librados::ObjectReadOperation operation;
  operation.read(offset, out.size(), &data, &code_of_read);
  const int code = send_read(home_of(key), key, operation).wait();
  if (code < 0) return error_of_rados(code, key + " cannot be read");
  const std::size_t n = std::min<std::size_t>(data.length(), out.size());
  if (n > 0) data.begin().copy(static_cast<unsigned>(n), reinterpret_cast<char*>(out.data()));
  return n;
}

Result<std::uint64_t> RadosBytes::size(std::string_view key_text) {
  const std::string key(key_text);
  std::uint64_t bytes = 0;
  timespec modified{};
  int code_of_stat = 0;
  librados::ObjectReadOperation operation;
  operation.stat2(&bytes, &modified, &code_of_stat);
  const int code = send_read(home_of(key), key, operation).wait();
  if (code < 0) return error_of_rados(code, key + " cannot be looked at");
  return bytes;
}

// A write of its own behind the one in question, answered when every replica has both.
Status RadosBytes::confirm(std::string_view key_text) {
  const std::string key(key_text);
  librados::ObjectWriteOperation operation;
  operation.assert_exists();
  operation.setxattr("confirmed", to_buffer("1"));
  const int code = send_write(home_of(key), key, operation).wait();
  return code < 0 ? Status(error_of_rados(code, key + " cannot be confirmed")) : ok();
}

Status RadosBytes::overwrite(std::string_view key_text, ByteView bytes) {
  const std::string key(key_text);
  librados::ObjectWriteOperation operation;
  operation.write_full(to_buffer(bytes));
  const int code = send_write(home_of(key), key, operation).wait();
  return code < 0 ? Status(error_of_rados(code, key + " cannot be repaired")) : ok();
}

// The file first: a crash in between leaves a name without a file, which nobody sees.
Status RadosBytes::remove(std::string_view key_text) {
  const std::string key(key_text);
  librados::ObjectWriteOperation operation;
  operation.remove();
  const int code = send_write(home_of(key), key, operation).wait();
  if (code < 0 && code != -ENOENT) return error_of_rados(code, key + " cannot be removed");
  return is_log_file(key) ? index_.remove(key) : ok();
}

// The library streams the namespace; its iterator throws what the cluster answers.
Status RadosBytes::walk_objects(const std::function<bool(const std::string& key)>& step) {
  try {
    librados::IoCtx& io = cluster_.objects();
    for (auto at = io.nobjects_begin(); at != io.nobjects_end(); ++at) {
      if (!step(at->get_oid())) break;
    }
  } catch (const std::exception& error) {
    return fail(Errc::unavailable, fmt::format("the objects of the Ceph pool {} cannot be listed: {}", cluster_.pool(), error.what()));
  }
  return ok();
}

Status RadosBytes::list(std::string_view prefix, const std::function<bool(const ObjectInfo&)>& visit) {
  return index_.list(prefix, visit);
}

}  // namespace greffe::store
