import java.nio.file.Files;
import java.nio.file.Path;
import org.opensearch.common.settings.Settings;
import org.opensearch.node.Node;

/** One node of OpenSearch from its published jars: HOME NAME HTTP-PORT TRANSPORT-PORT SEEDS NAMES. */
public class NodeMain {
    public static void main(String[] args) throws Exception {
        Path home = Path.of(args[0]).toAbsolutePath();
        Files.createDirectories(home.resolve("data"));
        Settings settings = Settings.builder()
            .put("path.home", home.toString())
            .put("path.data", home.resolve("data").toString())
            .put("cluster.name", "pocket-apm-test")
            .put("node.name", args[1])
            .put("network.host", "127.0.0.1")
            .put("http.port", args[2])
            .put("transport.port", args[3])
            .put("transport.type", "netty4")
            .put("http.type", "netty4")
            .put("cluster.routing.allocation.disk.threshold_enabled", false)
            .put("indices.breaker.total.use_real_memory", false)
            .put("cluster.follower_lag.timeout", "20s")
            .putList("discovery.seed_hosts", args[4].split(","))
            .putList("cluster.initial_cluster_manager_nodes", args[5].split(","))
            .build();
        Node node = Local.node(settings);
        node.start();
        Thread.currentThread().join();
    }
}
