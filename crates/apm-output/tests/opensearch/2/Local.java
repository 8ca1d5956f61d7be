import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.opensearch.common.settings.Settings;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.plugins.Plugin;

/** A node of OpenSearch 2, with plugins by their classes. */
class Local extends Node {
    private Local(Settings settings, List<Class<? extends Plugin>> plugins) {
        super(InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "local"), plugins, false);
    }

    static Node node(Settings settings) throws Exception {
        List<Class<? extends Plugin>> plugins = new ArrayList<>();
        for (String name : List.of(
            "org.opensearch.transport.Netty4Plugin",
            "org.opensearch.painless.PainlessPlugin",
            "org.opensearch.analysis.common.CommonAnalysisPlugin")) {
            plugins.add(Class.forName(name).asSubclass(Plugin.class));
        }
        return new Local(settings, plugins);
    }
}
